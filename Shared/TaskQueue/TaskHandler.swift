package import Domain

/// Does the tasks of one type.
///
/// A task may run again after a crash, so what a handler does must be idempotent.
package protocol TaskHandler<Payload>: Sendable {
    associatedtype Payload: TaskPayload

    /// Does the task. Is cancelled when the task's time is over, someone cancels it, its lease is lost, or the worker
    /// stops; should then end soon. During a stop any error gives the task back unfinished.
    ///
    /// - Throws: `TaskFailure` to say whether another attempt makes sense; any other error is retryable.
    func run(_ payload: Payload, context: TaskContext) async throws -> TaskResult

    /// Hears that the task has failed and will not run again, before it is moved to the dead ones. Must be idempotent:
    /// when it throws, or its worker dies, it is called again later, a bounded number of times.
    func failedFinally(_ payload: Payload, error: TaskFailure, context: TaskContext) async throws
}

extension TaskHandler {
    package func failedFinally(_ payload: Payload, error: TaskFailure, context: TaskContext) async throws {}
}

/// What a task leaves behind: JSON, kept for `resultTTL`.
package struct TaskResult: Sendable, Equatable {
    package var json: [UInt8]

    /// - Parameter json: must be valid JSON, or empty for nothing.
    package init(json: [UInt8]) {
        self.json = json
    }

    package init(_ value: some Encodable) throws {
        json = try JSON.encode(value)
    }

    package static let none = TaskResult(json: [])
}

/// A handler whose payload type is hidden behind the queue's bytes.
struct AnyTaskHandler: Sendable {
    let type: TaskType
    let run: @Sendable (TaskClaim, TaskContext) async throws -> TaskResult
    let failedFinally: @Sendable (TaskClaim, TaskFailure, TaskContext) async throws -> Void

    init<Handler: TaskHandler>(_ handler: Handler) {
        type = Handler.Payload.type
        run = { claim, context in
            let payload: Handler.Payload
            do {
                payload = try JSON.decode(Handler.Payload.self, from: claim.payload)
            } catch {
                throw TaskFailure(retryable: false, message: "the payload is not one of type \(claim.type): \(error)")
            }
            return try await handler.run(payload, context: context)
        }
        failedFinally = { claim, failure, context in
            // A handler cannot be told about a payload it cannot read.
            guard let payload = try? JSON.decode(Handler.Payload.self, from: claim.payload) else { return }
            try await handler.failedFinally(payload, error: failure, context: context)
        }
    }
}
