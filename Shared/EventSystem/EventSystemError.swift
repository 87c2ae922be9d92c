internal import EventBus
internal import Redis
internal import TaskQueue

/// Why the system could not do something.
public struct EventSystemError: Error, Sendable, CustomStringConvertible {
    public enum Code: Sendable, Equatable {
        /// Redis was not reached: nothing was done, and trying again is safe.
        case unavailable
        /// No answer came: it may have been done. Events with a deduplication key, and tasks, may be tried again.
        case outcomeUnknown
        /// Redis refused.
        case refused
        /// A name, an identifier or an option is wrong.
        case invalid
        /// So many tasks of the type wait that no more are taken for now.
        case queueFull
        /// The task has failed or was cancelled, or there is none.
        case taskFailed
    }

    public let code: Code
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}

/// Gives errors of the modules below the one type this module's callers know.
func translated<Result>(_ body: () async throws -> Result) async throws -> Result {
    do {
        return try await body()
    } catch let error as RedisError {
        throw EventSystemError(error)
    } catch let error as EventBusError {
        throw EventSystemError(.invalid, error.message)
    } catch let error as TaskQueueError {
        throw EventSystemError(error.code == .queueFull ? .queueFull : .invalid, error.message)
    }
}

extension EventSystemError {
    init(_ error: RedisError) {
        let code: Code =
            switch error.code {
            case .notSent: .unavailable
            case .outcomeUnknown, .timedOut: .outcomeUnknown
            case .refused: .refused
            case .invalidConfiguration: .invalid
            }
        self.init(code, "\(error)")
    }
}
