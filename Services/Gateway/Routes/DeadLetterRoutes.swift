import Access
import Audit
import Domain
import EventBus
import Hummingbird

/// Dead letters: list, show, give back to the group that failed, forget. Teachers see and give back those of their own
/// exams; only operators forget.
struct DeadLetterRoutes: Sendable {
    let bus: EventBus
    let selection: EventSelection
    let audit: AuditLog

    func declare(in routes: RouteTable) {
        routes.on(
            .get, "/api/dead-letters", allow: .staff,
            Operation(
                "Lists events that were given up, by partition and the oldest first.",
                parameters: Self.filters + [.cursor, .limit()], .json(.list(of: .deadLetter))),
            use: list)
        routes.on(
            .delete, "/api/dead-letters", allow: .operators,
            Operation(
                "Forgets those that match.",
                parameters: Self.filters + [
                    .query("all", .choice(["true"]), "All there are, when nothing else is named.")
                ],
                .json(.object(["purged": .integer]))),
            use: purgeMany)
        routes.on(
            .post, "/api/dead-letters/requeue", allow: .staff,
            Operation(
                "Gives those that match back to the groups that failed.", body: .json(.deadLetterSelection),
                .json(.object(["requeued": .integer]), .accepted), problems: [.notFound], repetition: .byBody),
            use: requeueMany)
        routes.on(
            .get, "/api/dead-letters/{letter}", allow: .staff,
            Operation("Shows a dead letter.", .json(.deadLetter)),
            use: show)
        routes.on(
            .delete, "/api/dead-letters/{letter}", allow: .operators,
            Operation("Forgets a dead letter.", .deleted),
            use: purgeOne)
        routes.on(
            .post, "/api/dead-letters/{letter}/requeue", allow: .staff,
            Operation(
                "Gives a dead letter back to the group that failed.", .json(.object(["requeued": .integer]), .accepted),
                problems: [.conflict], repetition: .byBody),
            use: requeueOne)
    }

    private static let filters =
        [.query("group", .string, "That this group failed to handle.")] + Operation.Parameter.eventFilters

    private struct Requeued: Encodable {
        var requeued: Int
    }

    private struct Purged: Encodable {
        var purged: Int
    }

    // MARK: Look

    /// By partition, the oldest first in each.
    @Sendable
    private func list(_ call: Call) async throws -> Response {
        var query = try await query(call)
        query.cursor = try call.query("cursor", "the next_cursor of an earlier page", EventCursor.init)
        query.limit = try call.limit()
        let page = try await bus.deadLetters(query)
        return .json(bytes: ListJSON.bytes(try page.deadLetters.map { try $0.json() }, nextCursor: page.next))
    }

    @Sendable
    private func show(_ call: Call) async throws -> Response {
        .json(bytes: try await letter(call).json())
    }

    // MARK: Give back

    @Sendable
    private func requeueOne(_ call: Call) async throws -> Response {
        let letter = try await letter(call, to: .edit)
        guard letter.event != nil else {
            throw Problem(
                .conflict, "event-gone", "The event was removed before it could be kept: nothing is left to give back.")
        }
        try await record(.deadLettersRequeued, letter, call)
        let count = try await bus.requeue([letter.id])
        guard count == 1 else { throw Problem.notFound("dead letter", letter.id) }
        return try .json(Requeued(requeued: count), status: .accepted)
    }

    /// Those named by `ids`, or all that match `group`, `exam_id`, `type` and `correlation_id`; `"all":true` for all
    /// there are. Events of an exam keep their order.
    private struct Selected: Decodable {
        var ids: [String]?
        var group: String?
        var examID: ExamID?
        var type: String?
        var correlationID: CorrelationID?
        var all: Bool?

        enum CodingKeys: String, CodingKey {
            case ids, group
            case examID = "exam_id"
            case type
            case correlationID = "correlation_id"
            case all
        }
    }

    @Sendable
    private func requeueMany(_ call: Call) async throws -> Response {
        let selected = try await call.json(Selected.self)
        try Problem.check([("/exam_id", selected.examID?.isValid ?? true, "is no exam identifier")])
        let ids: [DeadLetterID]
        if let texts = selected.ids {
            guard texts.count <= 10_000 else {
                throw Problem.badRequest("too-many", "At most 10000 ids at a time.", at: "/ids")
            }
            ids = try texts.enumerated().map { index, text in
                guard let id = DeadLetterID(text) else {
                    throw Problem.badRequest("invalid-json", "\(text.prefix(100)) is no id.", at: "/ids/\(index)")
                }
                return id
            }
            if call.bearer.role == .teacher { for id in ids { _ = try await letter(id, for: call.bearer, to: .edit) } }
        } else {
            let types = try selected.type.map { text in
                guard let types = EventSelection.types(in: text) else {
                    throw Problem.badRequest("invalid-json", "There is no such type of events.", at: "/type")
                }
                return types
            }
            try await selection.check(selected.examID, for: call.bearer, to: .edit)
            ids = try await matching(
                DeadLetterQuery(
                    group: selected.group,
                    filter: EventFilter(
                        examID: selected.examID, types: types ?? [], correlationID: selected.correlationID)),
                all: selected.all == true)
        }
        guard !ids.isEmpty else { return try .json(Requeued(requeued: 0), status: .accepted) }
        try await record(
            .deadLettersRequeued, ids, call, exam: selected.examID,
            details: [
                "group": selected.group, "type": selected.type, "correlation_id": selected.correlationID?.rawValue,
            ])
        return try .json(Requeued(requeued: try await bus.requeue(ids)), status: .accepted)
    }

    // MARK: Forget

    @Sendable
    private func purgeOne(_ call: Call) async throws -> Response {
        let letter = try await letter(call)
        try await record(.deadLettersPurged, letter, call)
        guard try await bus.purge([letter.id]) == 1 else { throw Problem.notFound("dead letter", letter.id) }
        return Response(status: .noContent)
    }

    /// All that match the query; `all=true` for all there are.
    @Sendable
    private func purgeMany(_ call: Call) async throws -> Response {
        let query = try await query(call)
        let ids = try await matching(
            query, all: try call.query("all", "true") { $0 == "true" ? true : nil } ?? false)
        guard !ids.isEmpty else { return try .json(Purged(purged: 0)) }
        try await record(
            .deadLettersPurged, ids, call, exam: query.filter.examID,
            details: [
                "group": query.group, "type": try call.query("type"),
                "correlation_id": try call.query("correlation_id"),
            ])
        return try .json(Purged(purged: try await bus.purge(ids)))
    }

    // MARK: Inside

    private func query(_ call: Call) async throws -> DeadLetterQuery {
        DeadLetterQuery(group: try call.query("group"), filter: try await selection.filter(call))
    }

    /// Nobody gives back or forgets all by leaving something out.
    private func matching(_ query: DeadLetterQuery, all: Bool) async throws -> [DeadLetterID] {
        guard all || query.group != nil || query.filter != EventFilter() else {
            throw Problem.badRequest(
                "nothing-selected", "Say which: ids, group, exam_id, type or correlation_id, or all as true.")
        }
        return try await bus.deadLetterIDs(matching: query)
    }

    private func letter(_ call: Call, to right: ExamRight = .read) async throws -> DeadLetter {
        let text = call.parameter("letter")
        guard let id = DeadLetterID(text) else { throw Problem.notFound("dead letter", text) }
        return try await letter(id, for: call.bearer, to: right)
    }

    private func letter(_ id: DeadLetterID, for bearer: AccessClaims, to right: ExamRight) async throws -> DeadLetter {
        guard id.partition < bus.configuration.partitions, let letter = try await bus.deadLetter(id) else {
            throw Problem.notFound("dead letter", id)
        }
        if bearer.role == .teacher {
            guard let exam = letter.event?.examID, try await selection.access.knows(exam, bearer) else {
                throw Problem.notFound("dead letter", id)
            }
        }
        try await selection.check(letter.event?.examID, for: bearer, to: right)
        return letter
    }

    private func record(_ action: AuditAction, _ letter: DeadLetter, _ call: Call) async throws {
        try await audit.append(
            AuditEntry(
                action, subject: "dead-letter/\(letter.id)", examID: letter.event?.examID, context: call.eventContext,
                details: ["count": "1", "group": letter.group, "type": letter.event?.type.rawValue ?? ""]))
    }

    private func record(
        _ action: AuditAction, _ ids: [DeadLetterID], _ call: Call, exam: ExamID?, details: [String: String?]
    ) async throws {
        var details = details.compactMapValues { $0 }
        details["count"] = "\(ids.count)"
        try await audit.append(
            AuditEntry(action, subject: "dead-letters", examID: exam, context: call.eventContext, details: details))
    }
}
