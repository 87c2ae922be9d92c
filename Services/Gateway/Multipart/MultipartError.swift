/// Why a multipart body cannot be read further.
struct MultipartError: Error, Equatable, CustomStringConvertible {
    enum Code: Sendable {
        /// Not what the RFC, or this reader's stricter rules, allow.
        case malformed
        /// Beyond a limit.
        case tooLarge
    }

    let code: Code
    let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    var description: String { message }
}
