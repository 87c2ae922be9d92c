internal import Domain
internal import EventBus
internal import Redis
internal import TaskQueue

/// The event system inside a program of its own: see `withEventSystem`.
public struct EventSystem: Sendable {
    let client: RedisClient
    let bus: EventBus
    let queue: TaskQueue
    let taskTypes: [TaskType]
    /// nil when the program handles no events.
    let subscriber: EventSubscriber?
    let source: String

    // MARK: Events

    /// Tells the system that there is a new exam.
    ///
    /// - Parameter examID: 1 to 64 letters, digits, `_` or `-`; a new one when nil.
    @discardableResult
    public func publishExamCreated(
        title: String, examID: String? = nil, owner: String, questions: Int, maxScore: Double
    ) async throws -> PublishedEvent {
        let exam = examID.map { ExamID($0) } ?? .make()
        guard exam.isValid else {
            throw EventSystemError(.invalid, "an exam's identifier is 1 to 64 letters, digits, _ or -")
        }
        let event = ExamCreated(
            examID: exam, title: title, owner: UserID(owner), questions: questions, maxScore: maxScore)
        return try await publish(
            try EventEnvelope(
                event, examID: exam, context: EventContext(source: source, correlationID: .make(), actor: UserID(owner))
            ),
            deduplicationKey: "exam.created:\(exam)")
    }

    /// - Parameters:
    ///   - deduplicationKey: Calls with the same key publish one event within a day; give one when the call may be
    ///     repeated after an unknown outcome.
    ///   - correlationID: That of what led to the event; a new one when nil.
    /// - Throws: `EventSystemError`.
    @discardableResult
    public func publish(
        _ event: some SystemEvent, deduplicationKey: String? = nil, correlationID: String? = nil
    ) async throws -> PublishedEvent {
        let type = Swift.type(of: event)
        let time = Timestamp.now
        let envelope = EventEnvelope(
            id: UUIDv7.make(at: time).string, source: source, type: EventType(type.eventType), subject: event.subject,
            time: time, schemaVersion: type.schemaVersion,
            correlationID: correlationID.map { CorrelationID($0) } ?? .make(), examID: event.examID.map { ExamID($0) },
            data: try JSON.encode(event))
        return try await publish(envelope, deduplicationKey: deduplicationKey)
    }

    private func publish(_ envelope: EventEnvelope, deduplicationKey: String?) async throws -> PublishedEvent {
        try await translated {
            let position = try await bus.publish(envelope, deduplicationKey: deduplicationKey)
            return PublishedEvent(
                id: envelope.id, type: envelope.type.rawValue, examID: envelope.examID?.rawValue,
                correlationID: envelope.correlationID.rawValue, position: position.description)
        }
    }

    // MARK: Tasks

    /// Has a page image read by an OCR worker.
    ///
    /// - Parameters:
    ///   - sheetID: `<exam>.<unique part>`.
    ///   - blob: The image file: lower-case hexadecimal SHA-256 of its bytes, by which it is kept in `DATA_DIR`.
    ///   - page: The page inside the file, 1 for the first.
    @discardableResult
    public func submitOCRTask(
        sheetID: String, blob: String, page: Int = 1, priority: SystemTaskPriority = .normal
    ) async throws -> SubmittedTask {
        let (sheet, blob) = (SheetID(sheetID), BlobID(blob))
        guard let exam = sheet.examID, blob.isValid, page >= 1 else {
            throw EventSystemError(
                .invalid, "a sheet is <exam>.<unique part>, a blob the SHA-256 of its bytes, a page 1 or more")
        }
        return try await submit(
            payload: OCRTask(sheetID: sheet, blob: blob, filePage: page), exam: exam, priority: priority, delay: nil)
    }

    /// Submits work, once: see `SystemTask.taskID`.
    ///
    /// - Parameter delay: When it is to be done, counted from now; at once when nil.
    /// - Throws: `EventSystemError`.
    @discardableResult
    public func submit(
        _ work: some SystemTask, priority: SystemTaskPriority = .normal, delay: Duration? = nil
    ) async throws -> SubmittedTask {
        try await submit(
            payload: EmbeddedTask(work), exam: work.examID.map { ExamID($0) }, priority: priority, delay: delay)
    }

    private func submit<Payload: TaskPayload>(
        payload: Payload, exam: ExamID?, priority: SystemTaskPriority, delay: Duration?
    ) async throws -> SubmittedTask {
        try await translated {
            let submission = try await queue.submit(
                payload, priority: TaskPriority(rawValue: priority.rawValue), examID: exam,
                context: EventContext(source: source, correlationID: .make()), delay: delay)
            return SubmittedTask(
                type: Payload.type.rawValue, id: submission.taskID.rawValue, isNew: submission.isNew)
        }
    }

    /// What became of a task; nil when it is not known (any more).
    public func outcome(of task: SubmittedTask) async throws -> TaskOutcome? {
        try await record(of: task).flatMap { record in
            TaskOutcome.State(rawValue: record.state.rawValue).map {
                TaskOutcome(state: $0, attempt: record.attempt, progress: record.progress, error: record.error)
            }
        }
    }

    /// Waits until a task has ended.
    ///
    /// - Returns: what its handler returned.
    /// - Throws: `EventSystemError` of code `.taskFailed` when it failed or was cancelled; `DecodingError` when the
    ///   result is of another type; `CancellationError`.
    public func result<Value: Decodable>(of task: SubmittedTask, as type: Value.Type) async throws -> Value {
        var pause: Duration = .milliseconds(5)
        while true {
            guard let record = try await record(of: task) else {
                throw EventSystemError(.taskFailed, "there is no task \(task.id)")
            }
            switch record.state {
            case .completed: return try JSON.decode(type, from: try JSON.encode(record.result))
            case .failed, .cancelled:
                throw EventSystemError(
                    .taskFailed, "the task \(task.id) was \(record.state.rawValue): \(record.error ?? "")")
            case .ready, .scheduled, .running, .waiting: break
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(500))
        }
    }

    private func record(of task: SubmittedTask) async throws -> TaskRecord? {
        try await translated { try await queue.task(type: TaskType(task.type), id: TaskID(task.id)) }
    }

    // MARK: State

    /// The event streams and the queues, for people and dashboards.
    public func systemStatus() async throws -> SystemStatus {
        try await translated {
            let partitions = try await bus.statistics().map { partition in
                SystemStatus.Partition(
                    partition: partition.partition, length: partition.length, deadLetters: partition.deadLetters,
                    groups: partition.groups.map {
                        SystemStatus.Group(group: $0.group, owner: $0.owner, lag: $0.lag)
                    })
            }
            var queues: [SystemStatus.Queue] = []
            for type in taskTypes {
                queues += try await queue.statistics(type: type).map {
                    SystemStatus.Queue(
                        type: $0.type.rawValue, priority: $0.priority.rawValue, ready: $0.ready,
                        scheduled: $0.scheduled, running: $0.running, failed: $0.dead)
                }
            }
            return SystemStatus(partitions: partitions, queues: queues)
        }
    }

    /// Whether the system can work now. Never throws: what is wrong is in the report.
    public func healthCheck() async -> HealthReport {
        let start = ContinuousClock.now
        do {
            _ = try await client.send(["PING"])
            return HealthReport(
                problems: [], roundTrip: ContinuousClock.now - start,
                ownedPartitions: subscriber?.ownedPartitions ?? [])
        } catch {
            return HealthReport(problems: ["Redis does not answer: \(error)"], roundTrip: nil, ownedPartitions: [])
        }
    }
}
