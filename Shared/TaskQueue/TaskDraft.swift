package import Domain

/// A task as submitted, with whatever it overrides.
package struct TaskDraft: Sendable {
    package var type: TaskType
    package var id: TaskID
    package var priority: TaskPriority
    /// JSON.
    package var payload: [UInt8]
    package var examID: ExamID?
    package var context: EventContext
    /// nil: at once.
    package var delay: Duration?
    /// When it may run, by the clock of Redis; instead of `delay`.
    package var dueAt: Timestamp?
    /// While another task holds the same key, this one is not created. A key is held for `uniqueFor` or until its
    /// task has ended, whichever is first.
    package var uniqueKey: String?
    package var uniqueFor: Duration = .seconds(3600)
    /// nil: the configuration of the worker decides, here and below.
    package var maxAttempts: Int?
    package var timeout: Duration?
    package var retryDelays: [Duration]?
    /// Who waits for it.
    var parent: TaskReference?

    package init(
        _ payload: some TaskPayload, priority: TaskPriority? = nil, examID: ExamID?, context: EventContext,
        delay: Duration? = nil
    ) throws {
        let payloadType = Swift.type(of: payload)
        type = payloadType.type
        id = payload.taskID
        self.priority = priority ?? payloadType.defaultPriority
        self.payload = try JSON.encode(payload)
        self.examID = examID
        self.context = context
        self.delay = delay
    }

    /// A task of any type.
    ///
    /// - Parameter json: the payload.
    /// - Throws: `TaskQueueError` of code `.invalid` when `json` is not JSON.
    package init(
        type: TaskType, id: TaskID = .make(), json: [UInt8], priority: TaskPriority = .normal, examID: ExamID? = nil,
        context: EventContext, delay: Duration? = nil
    ) throws(TaskQueueError) {
        guard (try? JSON.decode(JSONValue.self, from: json)) != nil else {
            throw TaskQueueError(.invalid, "the payload is not valid JSON")
        }
        self.type = type
        self.id = id
        self.priority = priority
        payload = json
        self.examID = examID
        self.context = context
        self.delay = delay
    }

    func validate(_ configuration: TaskQueueConfiguration) throws(TaskQueueError) {
        guard type.isValid else {
            throw TaskQueueError(.invalid, "a task type is 1 to 64 letters, digits, _ or -")
        }
        guard id.isValid else {
            throw TaskQueueError(.invalid, "a task id is 1 to 200 letters, digits, _, -, . or :")
        }
        guard payload.count <= configuration.maxPayloadBytes else {
            throw TaskQueueError(
                .payloadTooLarge,
                "the payload has \(payload.count) bytes; at most \(configuration.maxPayloadBytes) are allowed")
        }
        guard (uniqueKey?.utf8.count ?? 1) <= 200, uniqueKey != "", uniqueFor >= .milliseconds(1) else {
            throw TaskQueueError(.invalid, "a unique key is 1 to 200 bytes, held for at least 1 ms")
        }
        guard (maxAttempts ?? 1) >= 1, (timeout ?? .seconds(1)) >= .milliseconds(1), retryDelays?.isEmpty != true,
            (delay ?? .zero) >= .zero, retryDelays?.allSatisfy({ $0 >= .zero }) ?? true
        else {
            throw TaskQueueError(.invalid, "attempts, time-out and retry delays must be positive")
        }
    }
}
