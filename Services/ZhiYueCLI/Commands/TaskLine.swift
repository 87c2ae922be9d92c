internal import Domain
internal import TaskQueue

/// A line of `zhiyue tasks submit --file`: a task as `POST /api/tasks` takes it.
enum TaskLine {
    /// - Throws: `CommandFailure` that says what is wrong with the line.
    static func draft(_ line: [UInt8], context: EventContext) throws(CommandFailure) -> TaskDraft {
        do {
            return try JSON.decode(TaskRequest.self, from: line).draft(context: context)
        } catch let error as DecodingError {
            throw CommandFailure(error.explanation)
        } catch let fault as TaskRequestFault {
            switch fault {
            case .value(let pointer, let detail): throw CommandFailure("\(pointer) \(detail)")
            case .payload(let type, let error):
                throw CommandFailure("that is no payload of \(type): \(error.explanation)")
            }
        } catch {
            throw CommandFailure("\(error)")
        }
    }
}
