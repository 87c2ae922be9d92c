package import Domain

/// What is wrong with a `TaskRequest`.
package enum TaskRequestFault: Error {
    /// - Parameter pointer: a JSON pointer into the request.
    case value(pointer: String, detail: String)
    /// The payload is none of the type.
    case payload(of: TaskType, DecodingError)
}

/// A task as clients submit it: by `POST /api/tasks`, and as a line of `zhiyue tasks submit --file`.
package struct TaskRequest: Decodable, Sendable {
    package var type: TaskType
    /// Follows from the payload when absent, so that the same work is done once.
    package var id: TaskID?
    /// The type's own when absent.
    package var priority: TaskPriority?
    package var payload: JSONValue
    package var examID: ExamID?
    /// Up to 30 days.
    package var delaySeconds: Double?
    /// Instead of a delay.
    package var dueAt: Timestamp?
    package var uniqueKey: String?
    /// Of one run; up to a day. The worker's own when absent, here and below.
    package var timeoutSeconds: Double?
    /// 1 to 100.
    package var maxAttempts: Int?
    /// Pauses before the second run, the third …; the last one for all that follow. Up to 20 of up to a day.
    package var retryDelaysSeconds: [Double]?

    enum CodingKeys: String, CodingKey {
        case type, id, priority, payload
        case examID = "exam_id"
        case delaySeconds = "delay_seconds"
        case dueAt = "due_at"
        case uniqueKey = "unique_key"
        case timeoutSeconds = "timeout_seconds"
        case maxAttempts = "max_attempts"
        case retryDelaysSeconds = "retry_delays_seconds"
    }

    package init(type: TaskType, priority: TaskPriority?, payload: JSONValue, examID: ExamID?) {
        self.type = type
        self.priority = priority
        self.payload = payload
        self.examID = examID
    }

    /// - Throws: `TaskRequestFault`; `TaskQueueError` of code `.invalid`.
    package func draft(context: EventContext) throws -> TaskDraft {
        guard let payloadType = TaskCatalog.all.first(where: { $0.type == type }) else {
            let types = TaskCatalog.all.map { $0.type.rawValue }.joined(separator: ", ")
            throw Self.invalid("/type", "must be one of \(types)")
        }
        let delay = delaySeconds ?? 0
        guard delay >= 0, delay <= 30 * 86_400 else { throw Self.invalid("/delay_seconds", "must be 0 to 2592000") }
        if let id, !id.isValid { throw Self.invalid("/id", "must be 1 to 200 letters, digits, _, -, . or :") }
        if let uniqueKey, !(1...200).contains(uniqueKey.utf8.count) {
            throw Self.invalid("/unique_key", "must be 1 to 200 bytes")
        }
        if let examID, !examID.isValid { throw Self.invalid("/exam_id", "is no exam identifier") }
        let json = try JSON.encode(payload)
        let ownID = try Self.identifier(payloadType, json)
        var draft = try TaskDraft(
            type: type, id: id ?? ownID, json: json,
            priority: priority ?? payloadType.defaultPriority, examID: examID, context: context,
            delay: delay > 0 ? .milliseconds(Int64(delay * 1000)) : nil)
        draft.uniqueKey = uniqueKey
        try override(&draft)
        return draft
    }

    private func override(_ draft: inout TaskDraft) throws {
        let day = 0.001...86_400
        if let dueAt {
            guard delaySeconds == nil else { throw Self.invalid("/due_at", "excludes /delay_seconds") }
            guard dueAt.milliseconds < Timestamp.now.milliseconds + 30 * 86_400_000 else {
                throw Self.invalid("/due_at", "must be within 30 days")
            }
            draft.dueAt = dueAt
        }
        if let timeoutSeconds {
            guard day.contains(timeoutSeconds) else { throw Self.invalid("/timeout_seconds", "must be 0.001 to 86400") }
            draft.timeout = .milliseconds(Int64(timeoutSeconds * 1000))
        }
        if let maxAttempts {
            guard (1...100).contains(maxAttempts) else { throw Self.invalid("/max_attempts", "must be 1 to 100") }
            draft.maxAttempts = maxAttempts
        }
        if let retryDelaysSeconds {
            guard (1...20).contains(retryDelaysSeconds.count), retryDelaysSeconds.allSatisfy(day.contains) else {
                throw Self.invalid("/retry_delays_seconds", "must be 1 to 20 numbers of 0.001 to 86400")
            }
            draft.retryDelays = retryDelaysSeconds.map { .milliseconds(Int64($0 * 1000)) }
        }
    }

    /// The identifier that follows from a payload; with it, the payload is checked.
    private static func identifier<Payload: TaskPayload>(_ type: Payload.Type, _ json: [UInt8]) throws -> TaskID {
        do {
            return try JSON.decode(type, from: json).taskID
        } catch let error as DecodingError {
            throw TaskRequestFault.payload(of: type.type, error)
        }
    }

    private static func invalid(_ pointer: String, _ detail: String) -> TaskRequestFault {
        .value(pointer: pointer, detail: detail)
    }
}
