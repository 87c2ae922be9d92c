package import Domain
import Redis

/// What is known of a task. As JSON it is what `GET /api/tasks/{id}` shows.
package struct TaskRecord: Codable, Sendable, Equatable {
    package var id: TaskID
    package var type: TaskType
    package var state: TaskState
    package var priority: TaskPriority
    /// Runs begun; 0 before the first. Runs that were released or lost their worker do not count.
    package var attempt: Int
    package var maxAttempts: Int
    /// Runs that lost their worker.
    package var stalls: Int
    package var createdAt: Timestamp
    /// When it is to run, while it is scheduled.
    package var dueAt: Timestamp?
    /// When its last run began; nil when that was given back or lost its worker.
    package var startedAt: Timestamp?
    package var finishedAt: Timestamp?
    /// Who runs or last ran it; nil as `startedAt`.
    package var worker: String?
    /// From 0 to 1.
    package var progress: Double?
    package var message: String?
    /// nil when the task has none, or is completed.
    package var payload: JSONValue?
    package var result: JSONValue?
    /// Why it failed, finally or last.
    package var error: String?
    /// Its runs that did not succeed, the oldest first; only the last are kept. Gone once it is completed.
    package var history: [TaskAttempt]
    package var isCancelRequested: Bool
    /// nil when it has none.
    package var children: TaskChildren?
    package var correlationID: CorrelationID
    package var examID: ExamID?

    enum CodingKeys: String, CodingKey {
        case id, type, state, priority, attempt, stalls, worker, progress, message, payload, result, error, history,
            children
        case maxAttempts = "max_attempts"
        case createdAt = "created_at"
        case dueAt = "due_at"
        case startedAt = "started_at"
        case finishedAt = "finished_at"
        case isCancelRequested = "cancel_requested"
        case correlationID = "correlation_id"
        case examID = "exam_id"
    }

    /// - Parameters:
    ///   - fields: the task's hash.
    ///   - maxAttempts: for a task that sets no other.
    /// - Returns: nil when the hash is no task.
    init?(type: TaskType, id: TaskID, fields: [(name: String, value: RESPValue)], maxAttempts: Int) {
        let values = Dictionary(fields.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        func text(_ name: String) -> String? { values[name]?.string }
        func time(_ name: String) -> Timestamp? {
            values[name]?.int.map { Timestamp(milliseconds: Int64($0)) }
        }
        func json(_ name: String) -> JSONValue? {
            values[name]?.bytes.flatMap { try? JSON.decode(JSONValue.self, from: $0) }
        }
        guard let state = text("state").flatMap(TaskState.init), let created = time("created"),
            let priority = text("priority").flatMap(TaskPriority.init),
            let origin = values["origin"]?.bytes.flatMap({ TaskOrigin(encoded: $0) })
        else { return nil }
        self.id = id
        self.type = type
        self.state = state
        self.priority = priority
        attempt = values["attempt"]?.int ?? 0
        self.maxAttempts = origin.maxAttempts ?? maxAttempts
        stalls = values["stalls"]?.int ?? 0
        createdAt = created
        dueAt = state == .scheduled ? time("due") : nil
        // As `claim.lua` writes it: the fence, when the run began, the worker.
        let run = text("run")?.split(separator: " ", maxSplits: 2) ?? []
        startedAt = run.count == 3 ? Int64(run[1]).map(Timestamp.init(milliseconds:)) : nil
        finishedAt = time("finished")
        worker = run.count == 3 ? String(run[2]) : nil
        children = values["children"]?.int.map { total in
            TaskChildren(
                total: total, open: values["open"]?.int ?? 0, failed: values["failed_children"]?.int ?? 0,
                cancelled: values["cancelled_children"]?.int ?? 0)
        }
        let ofChildren = state == .waiting ? children : nil
        progress = state == .completed ? 1 : ofChildren?.fraction ?? values["progress"]?.double
        message = ofChildren?.message ?? text("message")
        payload = json("payload")
        result = json("result")
        error = text("error")
        history = (text("history") ?? "").split(separator: "\n").compactMap { TaskAttempt(line: $0) }
        isCancelRequested = values["cancel"] != nil
        correlationID = origin.correlationID
        examID = origin.examID
    }
}
