import Audit
import Domain
import HTTPTypes
import Hummingbird
import TaskQueue

/// What is posted to `/api/tasks`: a task, or many as `{"tasks":[…]}`.
enum TaskOrder: Decodable {
    case one(TaskRequest)
    case many([TaskRequest])

    private enum CodingKeys: CodingKey {
        case tasks
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if container.contains(.tasks) {
            self = .many(try container.decode([TaskRequest].self, forKey: .tasks))
        } else {
            self = .one(try TaskRequest(from: decoder))
        }
    }
}

/// Submits many tasks at once.
///
/// Either all are well-formed or none is submitted. Submitting the same again is safe: what is there already stays as it
/// is.
struct TaskBatch: Sendable {
    static let most = 1000
    /// Faults that are told of; a client that has made more will find the rest soon.
    private static let mostFaults = 100

    struct Item: Encodable, Equatable {
        var id: TaskID
        var type: TaskType
        /// False when a task of that identifier was there already.
        var created: Bool
    }

    struct Document: Encodable {
        var items: [Item]
    }

    let queue: TaskQueue
    let audit: AuditLog

    /// - Returns: what became of each, in the order of `requests`.
    /// - Throws: `Problem`: the status a single task would get, with places such as `/tasks/3/payload/exam_id`, when tasks
    ///   are malformed; 503 with the places of those that had no room, all others being submitted.
    func submit(_ requests: [TaskRequest], context: EventContext) async throws -> [Item] {
        guard (1...Self.most).contains(requests.count) else {
            let detail = "must hold 1 to \(Self.most) tasks"
            throw Problem(
                .unprocessableContent, "invalid-task", "/tasks \(detail).",
                errors: [FieldProblem(pointer: "/tasks", detail: detail)])
        }
        let drafts = try drafts(requests, context: context)
        let items: [Item]
        do {
            let outcomes = try await queue.submit(batch: drafts)
            items = zip(drafts, outcomes).map { Item(id: $1.taskID, type: $0.type, created: $1.isNew) }
        } catch let error as TaskQueueError where error.code == .queueFull {
            throw try await problem(drafts, full: error, context: context)
        }
        try await note(zip(drafts, items).filter { $1.created }.map { $0.0 }, context: context)
        return items
    }

    private func drafts(_ requests: [TaskRequest], context: EventContext) throws -> [TaskDraft] {
        var drafts: [TaskDraft] = []
        var first: Problem?
        var faults: [FieldProblem] = []
        for (index, request) in requests.enumerated() where faults.count < Self.mostFaults {
            do {
                let draft = try request.checked(context: context)
                guard draft.payload.count <= queue.configuration.maxPayloadBytes else {
                    let detail = "must have at most \(queue.configuration.maxPayloadBytes) bytes"
                    throw Problem(
                        .contentTooLarge, "payload-too-large", detail,
                        errors: [FieldProblem(pointer: "/payload", detail: detail)])
                }
                drafts.append(draft)
            } catch {
                guard let problem = Problem(error) else { throw error }
                first = first ?? problem
                let places =
                    problem.errors.isEmpty ? [FieldProblem(pointer: "", detail: problem.detail)] : problem.errors
                faults += places.map { FieldProblem(pointer: "/tasks/\(index)\($0.pointer)", detail: $0.detail) }
            }
        }
        guard let first, let fault = faults.first else { return drafts }
        throw Problem(
            first.status, first.code, "\(fault.pointer) \(fault.detail). No task was submitted.", errors: faults)
    }

    /// Finds out which had room by submitting each on its own: those that had are there already.
    private func problem(
        _ drafts: [TaskDraft], full error: TaskQueueError, context: EventContext
    ) async throws -> Problem {
        var refused: Set<Int> = []
        try await withThrowingTaskGroup(of: Int?.self) { group in
            for (index, draft) in drafts.enumerated() {
                group.addTask {
                    do {
                        _ = try await queue.submit(raw: draft)
                        return nil
                    } catch let error as TaskQueueError where error.code == .queueFull {
                        return index
                    }
                }
            }
            for try await case let index? in group { refused.insert(index) }
        }
        try await note(drafts.indices.filter { !refused.contains($0) }.map { drafts[$0] }, context: context)
        return Problem(
            .serviceUnavailable, "queue-full",
            "\(error.message). \(drafts.count - refused.count) of \(drafts.count) tasks were accepted, all but those "
                + "named in errors. Submit the same again: what was accepted is not done twice.",
            errors: refused.sorted().map { FieldProblem(pointer: "/tasks/\($0)", detail: "had no room") },
            headers: [.retryAfter: "10"])
    }

    /// One entry in the audit log for all tasks of a type and an exam.
    private func note(_ drafts: [TaskDraft], context: EventContext) async throws {
        struct Kind: Hashable {
            var type: TaskType
            var exam: ExamID?
        }
        for (kind, drafts) in Dictionary(grouping: drafts, by: { Kind(type: $0.type, exam: $0.examID) }) {
            let subject = drafts.count == 1 ? drafts[0].id.rawValue : "tasks"
            try await audit.append(
                AuditEntry(
                    .tasksSubmitted, subject: subject, examID: kind.exam, context: context,
                    details: ["type": kind.type.rawValue, "count": "\(drafts.count)"]))
        }
    }
}
