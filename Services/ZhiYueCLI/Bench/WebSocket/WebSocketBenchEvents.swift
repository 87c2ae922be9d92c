internal import Domain

/// The events of the bench, with data that begins with the time they were published.
struct WebSocketBenchEvents: Sendable {
    static let type: EventType = "sheet.uploaded"
    static let minimumBytes = 32
    /// Stands before the time.
    static let mark = Array(#"{"due":"#.utf8)

    private let filler: String

    init(bytes: Int) {
        filler = String(repeating: "x", count: max(0, bytes - Self.minimumBytes))
    }

    static func exam(_ number: Int) -> ExamID { ExamID("bench-\(number)") }

    func make(exam: Int, due: UInt64) -> EventEnvelope {
        EventEnvelope(
            id: UUIDv7.make().string, source: "/zhiyue/bench", type: Self.type, subject: "bench", time: .now,
            schemaVersion: 1, correlationID: "bench", examID: Self.exam(exam),
            data: data(due: due))
    }

    func data(due: UInt64) -> [UInt8] {
        Array(#"{"due":\#(due),"text":"\#(filler)"}"#.utf8)
    }
}
