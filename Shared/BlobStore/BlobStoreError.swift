internal import Glibc

/// Why a blob could not be stored or read.
package struct BlobStoreError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable {
        case notFound, tooLarge, system
        /// No space is left for it.
        case full
    }

    package let code: Code
    package let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The failure of a system call, from `errno`.
    static func system(_ action: String, _ path: String) -> BlobStoreError {
        let number = errno
        let reason = String(cString: strerror(number))
        return BlobStoreError(
            number == ENOSPC || number == EDQUOT ? .full : .system, "cannot \(action) \(path): \(reason)")
    }

    package var description: String { message }
}
