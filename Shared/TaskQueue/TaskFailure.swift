import Redis

/// What a handler throws to say whether another attempt makes sense. Every other error is retryable.
package struct TaskFailure: Error, Sendable, CustomStringConvertible {
    package var retryable: Bool
    /// For people; shown with the task. No secrets, no paths.
    package var message: String
    /// Redis was away or failed: no fault of the task's, and no attempt of it, up to a bound.
    var isOutage = false

    package init(retryable: Bool, message: String) {
        self.retryable = retryable
        self.message = message
    }

    package var description: String { message }

    /// `error` as a failure, its text cut to what a record may hold.
    init(_ error: any Error) {
        if let failure = error as? TaskFailure {
            self = failure
        } else {
            self.init(retryable: true, message: String(describing: error))
            isOutage = (error as? RedisError)?.isOutage ?? false
        }
        if message.count > 2000 { message = message.prefix(2000) + "…" }
    }
}
