import Access
import Domain
import EventBus
import Hummingbird

/// `GET /api/events`: what happened, oldest first, as CloudEvents.
struct EventRoutes: Sendable {
    let bus: EventBus
    let access: ExamAccess

    func declare(in routes: RouteTable) {
        routes.on(.get, "/api/events", allow: .staff, use: history)
    }

    @Sendable
    private func history(_ call: Call) async throws -> Response {
        let exam = call.query("exam_id").map { ExamID($0) }
        switch (call.bearer.role, exam) {
        case (.teacher, nil):
            throw Problem.forbidden("Teachers see the events of an exam of theirs: name it as exam_id.")
        case (.teacher, let exam?):
            _ = try await access.exam(exam, for: call.bearer)
        default:
            // The history of a deleted exam stays to be read by those who may read all.
            break
        }
        let page = try await bus.history(try query(call, exam: exam))
        var body = Array(#"{"items":["#.utf8)
        for (index, event) in page.events.enumerated() {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            body += try EventCodec.cloudEventJSON(event)
        }
        body += Array(#"],"next_cursor":"#.utf8)
        body += Array((page.next.map { "\"\($0)\"" } ?? "null").utf8)
        body.append(UInt8(ascii: "}"))
        return .json(bytes: body)
    }

    private func query(_ call: Call, exam: ExamID?) throws -> EventQuery {
        let names = EventCatalog.all.map { $0.type.rawValue }
        let types = try call.query("type", "names of events separated by commas") { text -> Set<EventType>? in
            let types = text.split(separator: ",").map { String($0) }
            return types.allSatisfy(names.contains) ? Set(types.map { EventType($0) }) : nil
        }
        let time = "an RFC 3339 time in UTC such as 2026-11-22T08:15:30Z"
        return EventQuery(
            filter: EventFilter(
                examID: exam, types: types ?? [],
                correlationID: call.query("correlation_id").map { CorrelationID($0) }),
            from: try call.query("from", time, Timestamp.init(rfc3339:)),
            to: try call.query("to", time, Timestamp.init(rfc3339:)),
            cursor: try call.query("cursor", "the next_cursor of an earlier page", EventCursor.init),
            limit: try call.limit(max: 1000))
    }
}
