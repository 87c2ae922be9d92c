import Domain
import HTTPTypes
import TaskQueue

extension TaskRequest {
    /// - Throws: `Problem` with 422 for an unknown type or a value out of range, 400 for a payload of another.
    func checked(context: EventContext) throws -> TaskDraft {
        do {
            return try draft(context: context)
        } catch let fault as TaskRequestFault {
            switch fault {
            case .payload(_, let error): throw JSONBody.problem(error, under: "/payload")
            case .value(let pointer, let detail):
                throw Problem(
                    .unprocessableContent, "invalid-task", "\(pointer) \(detail).",
                    errors: [FieldProblem(pointer: pointer, detail: detail)])
            }
        }
    }
}
