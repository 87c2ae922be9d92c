/// Why a token is not accepted.
package struct TokenError: Error, Equatable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// Not three parts of base64url, not JSON, or a claim is missing.
        case malformed
        /// Signed with another key or algorithm.
        case badSignature
        /// Signed with a key that is not known, or not any more.
        case unknownKey
        case expired
        /// Issued in the future, or meant for later.
        case notYetValid
        /// Taken back before its time.
        case revoked
        /// Issued by or for another system.
        case foreign
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
