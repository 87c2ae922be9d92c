/// How a child ended.
package enum ChildExit: Equatable, Sendable, CustomStringConvertible {
    case exited(Int32)
    case signalled(Int32)

    package var description: String {
        switch self {
        case .exited(let status): "exit status \(status)"
        case .signalled(let signal): "signal \(signal)"
        }
    }
}

/// Why a confined child could not be used.
package enum ConfinedProcessError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The child could not be started: what was being done, and the system's error number.
    case cannotStart(step: String, errno: Int32)
    /// The deadline passed; the child has been killed.
    case timedOut
    /// The child ended, or was killed by another thread, before it had answered. `errorOutput` is the end of what it
    /// wrote to standard error.
    case ended(ChildExit, errorOutput: String)
    /// The child sent more than the caller allowed; it has been killed.
    case tooMuchOutput
    case system(call: String, errno: Int32)

    package var description: String {
        switch self {
        case .cannotStart(let step, let errno): "cannot start the process: \(step): \(systemMessage(errno))"
        case .timedOut: "the process did not answer in time"
        case .ended(let exit, let errorOutput):
            errorOutput.isEmpty ? "the process ended with \(exit)" : "the process ended with \(exit): \(errorOutput)"
        case .tooMuchOutput: "the process sent more than allowed"
        case .system(let call, let errno): "\(call): \(systemMessage(errno))"
        }
    }
}
