internal import Domain
internal import Glibc

/// The events of the bench: sheets of 64 exams, with data of a given size that begins with the time they were due.
struct EventsBenchEvents: Sendable {
    static let type: EventType = "sheet.uploaded"
    static let minimumBytes = 64
    private static let digits = 20
    private static let opening = Array(#"{"due":""#.utf8)

    private let exams: [ExamID]
    private let template: [UInt8]
    private let source: String

    init(bytes: Int, source: String) {
        exams = (0..<64).map { _ in ExamID(UUIDv7.make().compactString) }
        let closing = Array(#"","text":""#.utf8)
        let end = Array(#""}"#.utf8)
        let filler = bytes - Self.opening.count - Self.digits - closing.count - end.count
        template =
            Self.opening + Array(repeating: UInt8(ascii: "0"), count: Self.digits) + closing
            + Array(repeating: UInt8(ascii: "x"), count: max(0, filler)) + end
        self.source = source
    }

    /// A new event of one of the exams.
    /// - Parameter due: nanoseconds of the monotonic clock, kept in the data.
    func make(_ index: Int, due: UInt64? = nil) -> EventEnvelope {
        let time = Timestamp.now
        let id = UUIDv7.make(at: time).string
        var data = template
        if var rest = due {
            for place in stride(from: Self.opening.count + Self.digits - 1, through: Self.opening.count, by: -1) {
                data[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
        }
        return EventEnvelope(
            id: id, source: source, type: Self.type, subject: exams[0].rawValue, time: time, schemaVersion: 1,
            correlationID: CorrelationID(exams[1].rawValue), examID: exams[index % exams.count], data: data)
    }

    /// When the event was due.
    static func due(_ event: EventEnvelope) -> UInt64 {
        event.data.dropFirst(opening.count).prefix(digits).reduce(0) { $0 &* 10 &+ UInt64($1 &- UInt8(ascii: "0")) }
    }

    /// Nanoseconds of the monotonic clock.
    static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
