/// Why a command has no reply, and what that says about its effect.
package struct RedisError: Error, Sendable {
    package enum Code: Sendable, Equatable {
        /// No byte of the command reached the server: it had no effect and may be repeated.
        case notSent
        /// The command was sent and the connection was lost (or the caller cancelled) before its reply: it may have
        /// been executed.
        case outcomeUnknown
        /// The command was sent and no reply came within its time: it may have been or be executed.
        case timedOut
        /// The server replied with an error: it was not executed, or a script stopped where the error came up.
        /// Carries the error's code, such as `NOPERM`, `OOM`, `LOADING`, `READONLY`, `MOVED` or `ERR`.
        case refused(String)
        /// A URL or an option is wrong.
        case invalidConfiguration
    }

    package let code: Code
    /// A sentence for the log; never holds a password.
    package let message: String
    /// The cause, where there is one; a `CancellationError` when the caller was cancelled.
    package let underlying: (any Error)?

    package init(_ code: Code, _ message: String, underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.underlying = underlying
    }

    package init(refused error: RedisServerError) {
        self.init(.refused(error.prefix), error.message, underlying: error)
    }

    /// Whether the command certainly had no effect: repeating it cannot do anything twice.
    package var isSafeToRepeat: Bool {
        switch code {
        case .notSent: true
        case .refused: isTemporaryRefusal
        case .outcomeUnknown, .timedOut, .invalidConfiguration: false
        }
    }

    /// Whether the server refused only for now.
    package var isTemporaryRefusal: Bool {
        guard case .refused(let prefix) = code else { return false }
        return ["LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN"].contains(prefix)
    }

    /// Whether it is Redis that failed, or the way to it, rather than the command: the same command may succeed once
    /// that is mended. It may have had its effect (see `isSafeToRepeat`).
    package var isOutage: Bool {
        switch code {
        case .notSent, .outcomeUnknown, .timedOut: true
        case .refused(let prefix):
            isTemporaryRefusal || ["OOM", "MISCONF", "READONLY", "NOREPLICAS"].contains(prefix)
        case .invalidConfiguration: false
        }
    }

    package var isCancellation: Bool { underlying is CancellationError }
}

extension RedisError: CustomStringConvertible {
    package var description: String {
        let cause = underlying.map { ": \($0)" } ?? ""
        return switch code {
        case .notSent: "not sent: \(message)\(cause)"
        case .outcomeUnknown: "outcome unknown: \(message)\(cause)"
        case .timedOut: "timed out: \(message)\(cause)"
        case .refused: "refused: \(message)"
        case .invalidConfiguration: "invalid Redis configuration: \(message)"
        }
    }
}
