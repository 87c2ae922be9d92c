import Audit
import Domain
import Hummingbird
import TaskQueue

/// The queues of all types of tasks: what waits and runs, what they have done, their limits, pause and resume.
struct QueueRoutes: Sendable {
    let queue: TaskQueue
    let audit: AuditLog

    func declare(in routes: RouteTable) {
        routes.on(.get, "/api/queues", allow: .operators, use: list)
        routes.on(.get, "/api/queues/{type}", allow: .operators, use: show)
        routes.on(.post, "/api/queues/{type}/pause", allow: .operators, use: pause)
        routes.on(.post, "/api/queues/{type}/resume", allow: .operators, use: resume)
        routes.on(.put, "/api/queues/{type}/limits", allow: .operators, use: setLimits)
    }

    @Sendable
    private func list(_ call: Call) async throws -> Response {
        var items: [QueueDocument] = []
        for task in TaskCatalog.all { items.append(try await document(task.type)) }
        return try .json(ListDocument(items: items, nextCursor: nil))
    }

    @Sendable
    private func show(_ call: Call) async throws -> Response {
        try .json(try await document(try type(call)))
    }

    @Sendable
    private func pause(_ call: Call) async throws -> Response {
        let type = try type(call)
        if try await queue.pause(type: type) { try await append(.queuePaused, type, call) }
        return try .json(try await document(type))
    }

    @Sendable
    private func resume(_ call: Call) async throws -> Response {
        let type = try type(call)
        if try await queue.resume(type: type) { try await append(.queueResumed, type, call) }
        return try .json(try await document(type))
    }

    @Sendable
    private func setLimits(_ call: Call) async throws -> Response {
        let type = try type(call)
        let limits = try await call.json(QueueLimits.self)
        try await queue.setLimits(limits, type: type)
        try await append(.queueLimited, type, call, details: limits.details)
        return try .json(try await document(type))
    }

    private func append(
        _ action: AuditAction, _ type: TaskType, _ call: Call, details: [String: String] = [:]
    ) async throws {
        try await audit.append(
            AuditEntry(
                action, subject: type.rawValue, examID: nil, context: call.eventContext, details: details))
    }

    private func type(_ call: Call) throws -> TaskType {
        let type = TaskType(call.parameter("type"))
        guard TaskCatalog.all.contains(where: { $0.type == type }) else { throw Problem.notFound("queue", type) }
        return type
    }

    private func document(_ type: TaskType) async throws -> QueueDocument {
        QueueDocument(
            type: type, priorities: try await queue.statistics(type: type),
            limits: try await queue.limits(type: type), metrics: try await queue.metrics(type: type))
    }
}

private struct QueueDocument: Encodable {
    let type: TaskType
    let priorities: [QueueStatistics]
    let limits: QueueLimits
    let metrics: QueueMetrics
}
