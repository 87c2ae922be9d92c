/// Why a lock could not be had or kept. Failures of Redis itself are thrown as `RedisError`.
package struct LockError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable {
        /// Somebody else holds it, for longer than the caller would wait.
        case held
        /// It was had and is no longer: the lease could not be prolonged in time. What was done under it has been
        /// cancelled.
        case lost
        /// Redis answered with something that is not understood.
        case unexpectedReply
    }

    package let code: Code
    package let message: String

    package init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
