/// A place in a list that is ordered by time, and by identifier where times are the same.
struct TimeCursor: Comparable {
    /// Milliseconds since 1970.
    let time: Int64
    let id: String

    init(time: Int64, id: String) {
        self.time = time
        self.id = id
    }

    /// - Throws: `ExamStoreError` with `.invalidCursor` when `text` is none.
    init(_ text: String) throws {
        let parts = text.split(separator: "-", maxSplits: 1)
        guard parts.count == 2, let time = Int64(parts[0]) else { throw ExamStoreError.invalidCursor }
        self.init(time: time, id: String(parts[1]))
    }

    var text: String { "\(time)-\(id)" }

    static func < (left: TimeCursor, right: TimeCursor) -> Bool {
        (left.time, left.id) < (right.time, right.id)
    }
}
