import Access
import Audit
import Domain
import EventBus
import Hummingbird

/// Replays: events of a range handled again by the handlers named, beside the live groups. For operators.
struct ReplayRoutes: Sendable {
    let bus: EventBus
    let audit: AuditLog

    func declare(in routes: RouteTable) {
        routes.on(
            .post, "/api/events/replay", allow: .operators,
            Operation(
                "Has events handled again.", body: .json(.replayRequest),
                .json(.list(of: .replay), .accepted, "Begun, one a handler."),
                .json(.replayCount, .ok, "What a dry run counted."), repetition: .byBody),
            use: start)
        routes.on(
            .get, "/api/events/replay", allow: .operators,
            Operation("Lists replays, the newest first.", parameters: [.limit()], .json(.list(of: .replay))),
            use: list)
        routes.on(
            .get, "/api/events/replay/{replay}", allow: .operators,
            Operation("Shows a replay.", .json(.replay)),
            use: show)
        routes.on(
            .delete, "/api/events/replay/{replay}", allow: .operators,
            Operation("Cancels a replay.", .json(.replay, .accepted)),
            use: cancel)
        routes.on(
            .get, "/api/events/handlers", allow: .operators,
            Operation(
                "Lists the handlers that can be asked to handle events again.",
                .json(.list(of: .object(["group": .string, "handler": .string])))),
            use: handlers)
    }

    /// Everything left out matches all; `group` alone means all its handlers.
    private struct Asked: Decodable {
        var group: String?
        var handler: String?
        var examID: ExamID?
        var type: String?
        var correlationID: CorrelationID?
        var from: Timestamp?
        var to: Timestamp?
        /// Only counts what would be handled.
        var dryRun: Bool?

        enum CodingKeys: String, CodingKey {
            case group, handler
            case examID = "exam_id"
            case type
            case correlationID = "correlation_id"
            case from, to
            case dryRun = "dry_run"
        }

        func filter() throws -> EventFilter {
            let types = try type.map { text in
                guard let types = EventSelection.types(in: text) else {
                    throw Problem.badRequest("invalid-json", "There is no such type of events.", at: "/type")
                }
                return types
            }
            return EventFilter(examID: examID, types: types ?? [], correlationID: correlationID)
        }
    }

    @Sendable
    private func start(_ call: Call) async throws -> Response {
        let asked = try await call.json(Asked.self)
        let filter = try asked.filter()
        let isRange = asked.from.flatMap { from in asked.to.map { from <= $0 } } ?? true
        try Problem.check([
            ("/exam_id", asked.examID?.isValid ?? true, "is no exam identifier"),
            ("/to", isRange, "must not be before /from"),
        ])
        if asked.dryRun == true {
            let count = try await bus.countReplay(
                ReplayRequest(target: .temporaryGroup, filter: filter, from: asked.from, to: asked.to))
            return try .json(ReplayCountDocument(count))
        }
        guard asked.group != nil || asked.handler != nil else {
            throw Problem.badRequest(
                "nothing-selected", "Say who is to handle the events again: handler, group or both.", at: "/handler")
        }
        let handlers = try await bus.replayableHandlers(group: asked.group, handler: asked.handler)
        var started: [ReplayDocument] = []
        for handler in handlers {
            try await record(handler, filter: filter, asked: asked, call)
            started.append(
                ReplayDocument(
                    try await bus.startReplay(
                        ReplayRequest(
                            target: .handler(group: handler.group, name: handler.name), filter: filter,
                            from: asked.from, to: asked.to, requestedBy: call.bearer.user),
                        id: call.repeatableID("\(handler.group)/\(handler.name)").map { ReplayID($0) })))
        }
        return try .json(ListDocument(items: started, nextCursor: nil), status: .accepted)
    }

    private func record(
        _ handler: ReplayableHandler, filter: EventFilter, asked: Asked, _ call: Call
    ) async throws {
        let details: [String: String?] = [
            "group": handler.group, "handler": handler.name, "type": asked.type,
            "correlation_id": filter.correlationID?.rawValue, "from": asked.from?.rfc3339, "to": asked.to?.rfc3339,
        ]
        try await audit.append(
            AuditEntry(
                .eventsReplayed, subject: "handler/\(handler.name)", examID: filter.examID, context: call.eventContext,
                details: details.compactMapValues { $0 }))
    }

    /// The newest first.
    @Sendable
    private func list(_ call: Call) async throws -> Response {
        let replays = try await bus.replays(limit: try call.limit())
        return try .json(ListDocument(items: replays.map(ReplayDocument.init), nextCursor: nil))
    }

    @Sendable
    private func show(_ call: Call) async throws -> Response {
        try .json(ReplayDocument(try await replay(call)))
    }

    @Sendable
    private func cancel(_ call: Call) async throws -> Response {
        let replay = try await replay(call)
        try await audit.append(
            AuditEntry(
                .replayCancelled, subject: "replay/\(replay.id)", examID: replay.request.filter.examID,
                context: call.eventContext))
        try await bus.cancelReplay(replay.id)
        return try .json(ReplayDocument(try await self.replay(call)), status: .accepted)
    }

    /// Who can be asked.
    @Sendable
    private func handlers(_ call: Call) async throws -> Response {
        struct Document: Encodable {
            var group: String
            var handler: String
        }
        let known = try await bus.replayableHandlers().map { Document(group: $0.group, handler: $0.name) }
        return try .json(ListDocument(items: known, nextCursor: nil))
    }

    private func replay(_ call: Call) async throws -> ReplayStatus {
        let id = ReplayID(call.parameter("replay"))
        guard let replay = try await bus.replay(id) else { throw Problem.notFound("replay", id) }
        return replay
    }
}
