internal import Domain

/// A replay as clients and `--json` show it. Absent values are written as null.
package struct ReplayDocument: Encodable {
    private let status: ReplayStatus

    package init(_ status: ReplayStatus) {
        self.status = status
    }

    private enum CodingKeys: String, CodingKey {
        case id, state, group, handler
        case examID = "exam_id"
        case types
        case correlationID = "correlation_id"
        case from, to, total, handled, failed, failures
        case requestedBy = "requested_by"
        case requestedAt = "requested_at"
        case startedAt = "started_at"
        case finishedAt = "finished_at"
        case replica
    }

    private struct Failure: Encodable {
        var event: String
        var error: String
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        let request = status.request
        var (group, handler): (String, String?) = (status.group, nil)
        if case .handler(let service, let name) = request.target { (group, handler) = (service, name) }
        try container.encode(status.id, forKey: .id)
        try container.encode(status.state, forKey: .state)
        try container.encode(group, forKey: .group)
        try container.encode(handler, forKey: .handler)
        try container.encode(request.filter.examID, forKey: .examID)
        try container.encode(request.filter.types.map(\.rawValue).sorted(), forKey: .types)
        try container.encode(request.filter.correlationID, forKey: .correlationID)
        try container.encode(request.from, forKey: .from)
        try container.encode(request.to, forKey: .to)
        try container.encode(status.total, forKey: .total)
        try container.encode(status.handled, forKey: .handled)
        try container.encode(status.failed, forKey: .failed)
        try container.encode(
            status.failures.map { Failure(event: $0.event.description, error: $0.error) }, forKey: .failures)
        try container.encode(request.requestedBy, forKey: .requestedBy)
        try container.encode(status.requestedAt, forKey: .requestedAt)
        try container.encode(status.startedAt, forKey: .startedAt)
        try container.encode(status.finishedAt, forKey: .finishedAt)
        try container.encode(status.replica, forKey: .replica)
    }
}

/// What a dry run tells.
package struct ReplayCountDocument: Encodable {
    private let dryRun = true
    private let events: Int
    private let exams: Int
    private let byType: [String: Int]
    private let first: Timestamp?
    private let last: Timestamp?

    package init(_ count: ReplayCount) {
        events = count.events
        exams = count.exams
        byType = Dictionary(
            count.byType.map { ($0.key.rawValue, $0.value) }, uniquingKeysWith: { first, _ in first })
        first = count.first
        last = count.last
    }

    private enum CodingKeys: String, CodingKey {
        case dryRun = "dry_run"
        case events, exams
        case byType = "by_type"
        case first, last
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(dryRun, forKey: .dryRun)
        try container.encode(events, forKey: .events)
        try container.encode(exams, forKey: .exams)
        try container.encode(byType, forKey: .byType)
        try container.encode(first, forKey: .first)
        try container.encode(last, forKey: .last)
    }
}

extension EventBus {
    /// The handlers meant by a group's name, a handler's name or both.
    ///
    /// - Throws: `EventBusError` of code `.invalidArgument`, naming those there are, when no running service offers one.
    package func replayableHandlers(group: String?, handler: String?) async throws -> [ReplayableHandler] {
        let known = try await replayableHandlers()
        let meant = known.filter { (group ?? $0.group) == $0.group && (handler ?? $0.name) == $0.name }
        guard meant.isEmpty else { return meant }
        let asked = [handler.map { "handler \($0)" }, group.map { "group \($0)" }].compactMap { $0 }
        let names = known.map { "\($0.name) of \($0.group)" }
        throw EventBusError(
            .invalidArgument,
            """
            no running service has a \(asked.joined(separator: " of ")); \
            there \(names.isEmpty ? "is none" : "are \(names.joined(separator: ", "))")
            """)
    }
}
