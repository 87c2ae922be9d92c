import Access
import Domain
import EventBus
import Hummingbird

/// `GET /api/events`: what happened, oldest first, as CloudEvents.
struct EventRoutes: Sendable {
    let bus: EventBus
    let selection: EventSelection

    func declare(in routes: RouteTable) {
        routes.on(
            .get, "/api/events", allow: .staff,
            Operation(
                "Lists what happened, the oldest first.", detail: "A teacher has to name an exam.",
                parameters: Operation.Parameter.eventFilters + [.from, .to, .cursor, .limit(max: 1000)],
                .json(.list(of: .event))),
            use: history)
    }

    @Sendable
    private func history(_ call: Call) async throws -> Response {
        let page = try await bus.history(
            EventQuery(
                filter: try await selection.filter(call),
                from: try call.query("from", EventSelection.time, Timestamp.init(rfc3339:)),
                to: try call.query("to", EventSelection.time, Timestamp.init(rfc3339:)),
                cursor: try call.query("cursor", "the next_cursor of an earlier page", EventCursor.init),
                limit: try call.limit(max: 1000)))
        return .json(bytes: ListJSON.bytes(try page.events.map(EventCodec.cloudEventJSON), nextCursor: page.next))
    }
}
