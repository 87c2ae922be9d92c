import Domain
import HTTPTypes
import TaskQueue

/// A task as a client submits it.
struct TaskRequest: Decodable {
    var type: TaskType
    /// Follows from the payload when absent, so that the same work is done once.
    var id: TaskID?
    /// The type's own when absent.
    var priority: TaskPriority?
    var payload: JSONValue
    var examID: ExamID?
    /// Up to 30 days.
    var delaySeconds: Double?
    var uniqueKey: String?

    enum CodingKeys: String, CodingKey {
        case type, id, priority, payload
        case examID = "exam_id"
        case delaySeconds = "delay_seconds"
        case uniqueKey = "unique_key"
    }

    /// - Throws: `Problem` with 422 for an unknown type or a value out of range, 400 for a payload of another.
    func draft(context: EventContext) throws -> TaskDraft {
        guard let payloadType = TaskCatalog.all.first(where: { $0.type == type }) else {
            let types = TaskCatalog.all.map { $0.type.rawValue }.joined(separator: ", ")
            throw Self.invalid("/type", "must be one of \(types)")
        }
        let delay = delaySeconds ?? 0
        guard delay >= 0, delay <= 30 * 86_400 else { throw Self.invalid("/delay_seconds", "must be 0 to 2592000") }
        if let examID, !examID.isValid { throw Self.invalid("/exam_id", "is no exam identifier") }
        let json = try JSON.encode(payload)
        let ownID = try Self.identifier(payloadType, json)
        var draft = try TaskDraft(
            type: type, id: id ?? ownID, json: json,
            priority: priority ?? payloadType.defaultPriority, examID: examID, context: context,
            delay: delay > 0 ? .milliseconds(Int64(delay * 1000)) : nil)
        draft.uniqueKey = uniqueKey
        return draft
    }

    /// The identifier that follows from a payload; with it, the payload is checked.
    private static func identifier<Payload: TaskPayload>(_ type: Payload.Type, _ json: [UInt8]) throws -> TaskID {
        do {
            return try JSON.decode(type, from: json).taskID
        } catch let error as DecodingError {
            throw JSONBody.problem(error, under: "/payload")
        }
    }

    private static func invalid(_ pointer: String, _ detail: String) -> Problem {
        Problem(
            .unprocessableContent, "invalid-task", "\(pointer) \(detail).",
            errors: [FieldProblem(pointer: pointer, detail: detail)])
    }
}
