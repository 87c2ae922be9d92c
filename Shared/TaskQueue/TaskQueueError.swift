/// Why the queue refused a call. What Redis itself refuses is a `RedisError`.
package struct TaskQueueError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// As many tasks wait as may wait; try again later.
        case queueFull
        case payloadTooLarge
        case resultTooLarge
        /// A type, identifier, cursor or payload is malformed.
        case invalid
        case invalidConfiguration
        /// There is no such task (any more).
        case notFound
        /// The task has ended, so it cannot be cancelled; or has not failed, so it cannot be retried.
        case wrongState
        /// Another worker has the task, or may have.
        case leaseLost
        /// A worker's handlers do not end, though cancelled.
        case stuck
        /// Redis answered something the scripts never answer.
        case unexpectedReply
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
