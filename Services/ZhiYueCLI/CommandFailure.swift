internal import Glibc

/// Ends a command with exit status 1. The message says what failed and what to do about it.
struct CommandFailure: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }

    /// `action` failed with this `errno` value.
    init(_ action: String, errno code: Int32) {
        description = "\(action): \(String(cString: strerror(code)))"
    }
}
