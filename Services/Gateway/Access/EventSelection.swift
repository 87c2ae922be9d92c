import Access
import Domain
import EventBus

/// Which events a request is about, and whether who asks may see them.
struct EventSelection: Sendable {
    static let time = "an RFC 3339 time in UTC such as 2026-11-22T08:15:30Z"

    let access: ExamAccess

    /// The filters `exam_id`, `type` (names separated by commas) and `correlation_id` of the query.
    func filter(_ call: Call) async throws -> EventFilter {
        let filter = try named(call)
        try await check(filter.examID, for: call.bearer)
        return filter
    }

    /// The same, whoever asks.
    func named(_ call: Call) throws -> EventFilter {
        EventFilter(
            examID: try call.queriedExam(), types: try types(call) ?? [],
            correlationID: try call.queriedCorrelation())
    }

    /// Those who may read all may also read what is left of a deleted exam.
    func check(_ exam: ExamID?, for bearer: AccessClaims, to right: ExamRight = .read) async throws {
        guard bearer.role == .teacher else { return }
        guard let exam else {
            throw Problem.forbidden("Teachers see the events of an exam of theirs: name it as exam_id.")
        }
        _ = try await access.exam(exam, for: bearer, to: right)
    }

    private func types(_ call: Call) throws -> Set<EventType>? {
        try call.query("type", "names of events separated by commas") { Self.types(in: $0) }
    }

    static func types(in text: String) -> Set<EventType>? {
        let names = EventCatalog.all.map { $0.type.rawValue }
        let types = text.split(separator: ",").map { String($0) }
        return types.allSatisfy(names.contains) ? Set(types.map { EventType($0) }) : nil
    }
}

/// `{"items":[…],"next_cursor":…}` of items that are JSON already.
enum ListJSON {
    static func bytes(_ items: [[UInt8]], nextCursor: (some CustomStringConvertible)?) -> [UInt8] {
        var body = Array(#"{"items":["#.utf8)
        for (index, item) in items.enumerated() {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            body += item
        }
        body += Array(#"],"next_cursor":"#.utf8)
        body += Array((nextCursor.map { "\"\($0)\"" } ?? "null").utf8)
        body.append(UInt8(ascii: "}"))
        return body
    }
}
