package import Domain

/// What a handler knows of the task it does, besides the payload.
package struct TaskContext: Sendable {
    package let taskID: TaskID
    package let type: TaskType
    package let priority: TaskPriority
    /// 1 for the first.
    package let attempt: Int
    package let maxAttempts: Int
    /// Higher for every later claim; lets effects outside the queue refuse those of an older one.
    package let fence: Int64
    package let examID: ExamID?
    package let correlationID: CorrelationID
    /// The event or task that led to this one.
    package let causationID: String?
    package let actor: UserID?
    package let traceparent: String?
    /// The replica that runs the task.
    package let worker: String
    private let report: @Sendable (Double, String) async -> Void
    private let adopt: @Sendable ([TaskDraft]) async throws -> [TaskSubmission]

    init(
        claim: TaskClaim, maxAttempts: Int, worker: String,
        report: @escaping @Sendable (Double, String) async -> Void,
        submitChildren: @escaping @Sendable ([TaskDraft]) async throws -> [TaskSubmission]
    ) {
        taskID = claim.id
        type = claim.type
        priority = claim.priority
        attempt = claim.attempt
        self.maxAttempts = maxAttempts
        fence = claim.fence
        examID = claim.origin.examID
        correlationID = claim.origin.correlationID
        causationID = claim.origin.causationID
        actor = claim.origin.actor
        traceparent = claim.origin.traceparent
        self.worker = worker
        self.report = report
        adopt = submitChildren
    }

    /// Whether a retryable failure would be final.
    package var isLastAttempt: Bool { attempt >= maxAttempts }

    /// The context of what this task causes: events and further tasks.
    ///
    /// - Parameter source: the process, `/zhiyue/ocr-worker`.
    package func eventContext(source: String) -> EventContext {
        EventContext(
            source: source, correlationID: correlationID, causationID: taskID.rawValue, actor: actor,
            traceparent: traceparent)
    }

    /// Submits tasks that this one waits for: once its handler has returned, it ends with the last of them, completed when all
    /// are, else failed. Its progress is the share of them that have ended. Cancelled with it, and retried with it.
    ///
    /// May be called again, and by a later run, with the same tasks.
    ///
    /// - Throws: `TaskQueueError` (`queueFull`, `payloadTooLarge`, `invalid`, `leaseLost`), `RedisError`.
    @discardableResult
    package func submitChildren(_ drafts: [TaskDraft]) async throws -> [TaskSubmission] {
        try await adopt(drafts)
    }

    /// Tells how far the task is. May be called often: what comes too fast travels with the next heartbeat.
    ///
    /// - Parameter fraction: 0 to 1; others are brought into that range.
    package func progress(_ fraction: Double, _ message: String = "") async {
        await report(fraction, message)
    }
}
