internal import Domain
internal import FoundationEssentials
internal import TaskQueue

/// A line of `zhiyue tasks submit --file`: a task as `POST /api/tasks` takes it.
struct TaskLine: Decodable {
    var type: TaskType
    var id: TaskID?
    var priority: TaskPriority?
    var payload: JSONValue
    var examID: ExamID?
    var delaySeconds: Double?
    var dueAt: Timestamp?
    var uniqueKey: String?
    var timeoutSeconds: Double?
    var maxAttempts: Int?
    var retryDelaysSeconds: [Double]?

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

    /// - Throws: `CommandFailure` that says what is wrong with the line.
    static func draft(_ line: [UInt8], context: EventContext) throws(CommandFailure) -> TaskDraft {
        do {
            return try JSON.decode(TaskLine.self, from: line).draft(context: context)
        } catch let error as DecodingError {
            throw CommandFailure(error.explanation)
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure("\(error)")
        }
    }

    private func draft(context: EventContext) throws -> TaskDraft {
        guard let payloadType = TaskCatalog.all.first(where: { $0.type == type }) else {
            throw CommandFailure("/type is \(type); there are \(TaskType.knownText)")
        }
        let day = 0.001...86_400
        guard (0...(30 * 86_400)).contains(delaySeconds ?? 0), day.contains(timeoutSeconds ?? 1),
            (1...100).contains(maxAttempts ?? 1), (retryDelaysSeconds ?? []).allSatisfy(day.contains)
        else {
            throw CommandFailure("a delay, time-out or number of attempts is out of range")
        }
        if let id, !id.isValid { throw CommandFailure("/id is no id of a task") }
        if let examID, !examID.isValid { throw CommandFailure("/exam_id is no identifier of an exam") }
        let json = try JSON.encode(payload)
        let ownID = try TasksCommand.Submit.identifier(payloadType, json)
        var draft = try TaskDraft(
            type: type, id: id ?? ownID, json: json, priority: priority ?? payloadType.defaultPriority, examID: examID,
            context: context, delay: delaySeconds.map { .milliseconds(Int64($0 * 1000)) })
        draft.dueAt = dueAt
        draft.uniqueKey = uniqueKey
        draft.timeout = timeoutSeconds.map { .milliseconds(Int64($0 * 1000)) }
        draft.maxAttempts = maxAttempts
        draft.retryDelays = retryDelaysSeconds.map { $0.map { .milliseconds(Int64($0 * 1000)) } }
        return draft
    }
}
