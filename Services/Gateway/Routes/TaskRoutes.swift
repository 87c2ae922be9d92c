import Access
import Audit
import Domain
import ExamStore
import Hummingbird
import TaskQueue

/// Tasks: submit, list, show, cancel, retry, forget. Teachers see and steer the tasks of their own exams, one by one.
struct TaskRoutes: Sendable {
    let queue: TaskQueue
    let access: ExamAccess
    let audit: AuditLog

    func declare(in routes: RouteTable) {
        routes.on(
            .post, "/api/tasks", allow: .operators,
            Operation(
                "Submits a task, or up to 1000 at once.",
                detail: "When the queue has no room for some of many, the problem names them; the others are accepted.",
                body: .json(.taskOrder),
                .json(.taskSubmissions, .created, headers: [.location: "Where it is, when it is one."]),
                .json(
                    .taskSubmissions, .ok, "All were submitted before.",
                    headers: [.location: "Where it is, when it is one."]),
                repetition: .byBody),
            use: submit)
        routes.on(
            .get, "/api/tasks", allow: .operators,
            Operation(
                "Lists tasks, a type after the other.",
                parameters: [
                    .taskType, .query("state", .choice(of: TaskState.self), "In this state only."),
                    .query("priority", .choice(of: TaskPriority.self), "Of this priority only."), .examFilter, .cursor,
                    .limit(),
                ], .json(.list(of: .task))),
            use: list)
        routes.on(
            .get, "/api/tasks/{task}", allow: .staff,
            Operation("Shows a task.", parameters: [.taskType], .json(.task)),
            use: show)
        routes.on(
            .delete, "/api/tasks/{task}", allow: .operators,
            Operation(
                "Forgets a dead task for good.", parameters: [.taskType], .deleted, problems: [.conflict]),
            use: forget)
        routes.on(
            .post, "/api/tasks/{task}/cancel", allow: .staff,
            Operation(
                "Cancels a task; one that runs is told to stop.", parameters: [.taskType], .json(.task, .accepted),
                problems: [.conflict]),
            use: cancel)
        routes.on(
            .post, "/api/tasks/{task}/retry", allow: .staff,
            Operation(
                "Runs a dead task once more.", parameters: [.taskType], .json(.task, .accepted), problems: [.conflict]),
            use: retry)
    }

    private struct Submitted: Encodable {
        var id: TaskID
        var type: TaskType
        /// False when a task of that identifier was there already.
        var created: Bool
    }

    @Sendable
    private func submit(_ call: Call) async throws -> Response {
        switch try await call.json(TaskOrder.self) {
        case .one(let request): return try await submit(request, call)
        case .many(let requests):
            let items = try await TaskBatch(queue: queue, audit: audit).submit(requests, context: call.eventContext)
            return try .json(
                TaskBatch.Document(items: items), status: items.contains { $0.created } ? .created : .ok)
        }
    }

    private func submit(_ request: TaskRequest, _ call: Call) async throws -> Response {
        let draft = try request.checked(context: call.eventContext)
        let outcome = try await queue.submit(raw: draft)
        if outcome.isNew {
            try await audit.append(
                AuditEntry(
                    .tasksSubmitted, subject: outcome.taskID.rawValue, examID: draft.examID,
                    context: call.eventContext, details: ["type": draft.type.rawValue]))
        }
        return try .json(
            Submitted(id: outcome.taskID, type: request.type, created: outcome.isNew),
            status: outcome.isNew ? .created : .ok,
            headers: [.location: "/api/tasks/\(outcome.taskID)?type=\(request.type)"])
    }

    /// All tasks of one type, or of all types one after the other.
    @Sendable
    private func list(_ call: Call) async throws -> Response {
        let states = TaskState.allCases.map(\.rawValue).joined(separator: ", ")
        let state = try call.query("state", "one of \(states)", TaskState.init(rawValue:))
        let priority = try call.query("priority", "one of high, normal, low", TaskPriority.init(rawValue:))
        let exam = try call.query("exam_id", "an identifier of an exam") { text in
            ExamID(text).isValid ? ExamID(text) : nil
        }
        let types = try type(call).map { [$0] } ?? TaskCatalog.all.map { $0.type }
        let limit = try call.limit()
        var items: [TaskRecord] = []
        var place = try ListPlace(cursor: call.cursor(), types: types)
        while items.count < limit, let type = place.type {
            let page = try await queue.tasks(
                type: type, state: state, examID: exam, priority: priority, cursor: place.cursor,
                limit: limit - items.count)
            items += page.items
            place.advance(to: page.nextCursor)
            // What was looked through may hold little that is wanted; the client asks on.
            if page.nextCursor != nil { break }
        }
        return try .json(ListDocument(items: items, nextCursor: place.text))
    }

    @Sendable
    private func show(_ call: Call) async throws -> Response {
        try .json(try await task(call))
    }

    @Sendable
    private func cancel(_ call: Call) async throws -> Response {
        let task = try await task(call, to: .edit)
        try await queue.cancel(type: task.type, id: task.id)
        try await append(.tasksCancelled, task, call)
        return try .json(try await self.task(call), status: .accepted)
    }

    @Sendable
    private func retry(_ call: Call) async throws -> Response {
        let task = try await task(call, to: .edit)
        try await queue.retry(type: task.type, id: task.id)
        try await append(.tasksRetried, task, call)
        return try .json(try await self.task(call), status: .accepted)
    }

    /// A dead task, for good.
    @Sendable
    private func forget(_ call: Call) async throws -> Response {
        let task = try await task(call)
        guard try await queue.purgeDead(type: task.type, id: task.id) == 1 else {
            throw TaskQueueError(.wrongState, "the task \(task.id) is not dead")
        }
        try await append(.tasksPurged, task, call)
        return Response(status: .noContent)
    }

    private func append(_ action: AuditAction, _ task: TaskRecord, _ call: Call) async throws {
        try await audit.append(
            AuditEntry(
                action, subject: task.id.rawValue, examID: task.examID, context: call.eventContext,
                details: ["type": task.type.rawValue]))
    }

    private func type(_ call: Call) throws -> TaskType? {
        let types = TaskCatalog.all.map { $0.type.rawValue }
        return try call.query("type", "one of \(types.joined(separator: ", "))") { text in
            types.contains(text) ? TaskType(text) : nil
        }
    }

    /// The task of the address: of the type the query names, else of whatever type.
    private func task(_ call: Call, to right: ExamRight = .read) async throws -> TaskRecord {
        let id = TaskID(call.parameter("task"))
        let types = try type(call).map { [$0] } ?? TaskCatalog.all.map { $0.type }
        for type in types where id.isValid {
            guard let task = try await queue.task(type: type, id: id) else { continue }
            if call.bearer.role == .teacher {
                guard let exam = task.examID, try await access.knows(exam, call.bearer) else { break }
                _ = try await access.exam(exam, for: call.bearer, to: right)
            }
            return task
        }
        throw Problem.notFound("task", id)
    }
}

/// A place in the lists of several types, read one after the other.
private struct ListPlace {
    private let types: [TaskType]
    private var index: Int
    private(set) var cursor: String?

    /// - Parameter cursor: `text` of an earlier place, nil for the beginning.
    init(cursor: String?, types: [TaskType]) throws {
        self.types = types
        index = 0
        guard let cursor else { return }
        let parts = cursor.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let index = types.firstIndex(where: { $0.rawValue == parts[0] }) else {
            throw Problem.badRequest("invalid-query", "The cursor is not one of this list.", at: "?cursor")
        }
        self.index = index
        self.cursor = parts[1].isEmpty ? nil : String(parts[1])
    }

    /// nil at the end.
    var type: TaskType? { index < types.count ? types[index] : nil }

    var text: String? { type.map { "\($0)|\(cursor ?? "")" } }

    mutating func advance(to next: String?) {
        cursor = next
        if next == nil { index += 1 }
    }
}
