import Audit
import Domain
import Hummingbird
import TaskQueue

/// The queues of all types of tasks: what waits and runs, what they have done, their limits, pause and resume, and the
/// schedules of what recurs.
struct QueueRoutes: Sendable {
    let queue: TaskQueue
    let audit: AuditLog

    func declare(in routes: RouteTable) {
        routes.on(
            .get, "/api/queues", allow: .operators,
            Operation("Lists the queues of all types of tasks.", .json(.list(of: .queue))),
            use: list)
        routes.on(
            .get, "/api/queues/{type}", allow: .operators,
            Operation("Shows a queue.", .json(.queue)),
            use: show)
        routes.on(
            .post, "/api/queues/{type}/pause", allow: .operators,
            Operation("Lets no further task of the type begin.", .json(.queue)),
            use: pause)
        routes.on(
            .post, "/api/queues/{type}/resume", allow: .operators,
            Operation("Lets tasks of the type begin again.", .json(.queue)),
            use: resume)
        routes.on(
            .put, "/api/queues/{type}/limits", allow: .operators,
            Operation("Sets how many tasks run at a time.", body: .json(.queueLimits), .json(.queue)),
            use: setLimits)
        routes.on(
            .get, "/api/queues/{type}/schedules", allow: .operators,
            Operation("Lists what recurs.", .json(.list(of: .placedSchedule))),
            use: schedules)
        routes.on(
            .put, "/api/queues/{type}/schedules/{name}", allow: .operators,
            Operation(
                "Sets work that recurs.", body: .json(.scheduleRequest), .json(.placedSchedule)),
            use: setSchedule)
        routes.on(
            .delete, "/api/queues/{type}/schedules/{name}", allow: .operators,
            Operation("Ends work that recurs.", .deleted),
            use: removeSchedule)
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
        try Problem.check([
            ("/running", (limits.running ?? 1) >= 1, "must be at least 1; to stop a queue, pause it"),
            ("/running_per_exam", (limits.runningPerExam ?? 1) >= 1, "must be at least 1; to stop a queue, pause it"),
        ])
        try await queue.setLimits(limits, type: type)
        try await append(.queueLimited, type, call, details: limits.details)
        return try .json(try await document(type))
    }

    @Sendable
    private func schedules(_ call: Call) async throws -> Response {
        try .json(ListDocument(items: try await queue.schedules(type: try type(call)), nextCursor: nil))
    }

    @Sendable
    private func setSchedule(_ call: Call) async throws -> Response {
        let (type, name) = (try type(call), call.parameter("name"))
        let schedule = try await call.json(ScheduleRequest.self).schedule(name: name, type: type)
        let placed = try await queue.put(schedule)
        try await append(
            .scheduleSet, type, call, details: ["name": name, "cron": schedule.cron.text, "zone": schedule.zone])
        return try .json(placed)
    }

    @Sendable
    private func removeSchedule(_ call: Call) async throws -> Response {
        let (type, name) = (try type(call), call.parameter("name"))
        guard try await queue.removeSchedule(type: type, name: name) else { throw Problem.notFound("schedule", name) }
        try await append(.scheduleRemoved, type, call, details: ["name": name])
        return Response(status: .noContent)
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

/// Work that recurs, as a client asks for it.
private struct ScheduleRequest: Decodable {
    var cron: String
    /// UTC when absent.
    var zone: String?
    var payload: JSONValue
    /// The type's own when absent.
    var priority: TaskPriority?
    var examID: ExamID?

    enum CodingKeys: String, CodingKey {
        case cron, zone, payload, priority
        case examID = "exam_id"
    }

    /// - Throws: as `TaskRequest.checked`.
    func schedule(name: String, type: TaskType) throws -> TaskSchedule {
        let request = TaskRequest(type: type, priority: priority, payload: payload, examID: examID)
        let draft = try request.checked(context: EventContext(source: "/zhiyue/gateway", correlationID: .make()))
        let expression: CronExpression
        do throws(TaskQueueError) {
            expression = try CronExpression(cron)
        } catch {
            throw Problem.unprocessable([FieldProblem(pointer: "/cron", detail: error.message)])
        }
        return TaskSchedule(
            name: name, type: type, cron: expression, zone: zone ?? "UTC", payload: payload, priority: draft.priority,
            examID: examID)
    }
}
