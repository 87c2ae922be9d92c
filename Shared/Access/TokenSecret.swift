internal import Crypto

/// The key that access tokens are signed with: shared by every gateway and the command line.
package struct TokenSecret: Sendable, CustomStringConvertible {
    package static let fileName = "jwt-secret"
    /// HMAC SHA-256 gains nothing from longer keys and loses from shorter ones.
    package static let minimumBytes = 32

    package let bytes: [UInt8]

    /// Never shows the secret.
    package var description: String { "TokenSecret(\(bytes.count) bytes)" }

    /// - Throws: `TokenSecretError` when `text` has fewer than 32 bytes.
    package init(_ text: String) throws(TokenSecretError) {
        let bytes = Array(text.utf8)
        guard bytes.count >= Self.minimumBytes else {
            throw TokenSecretError("the token secret has \(bytes.count) bytes; it needs \(Self.minimumBytes) or more")
        }
        self.bytes = bytes
    }

    /// What stands for `text` where nobody is to read it: the same for the same text, and only with this secret.
    package func digest(of text: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: bytes))
        return code.prefix(16).map { String(hexadecimal: $0) }.joined()
    }

    /// What tokens signed with it carry as `kid`. The secret cannot be told from it.
    package var keyID: String {
        let hash = SHA256.hash(data: Array("zhiyue token key ".utf8) + bytes)
        return hash.prefix(8).map { String(hexadecimal: $0) }.joined()
    }
}

package struct TokenSecretError: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

extension String {
    init(hexadecimal byte: UInt8) {
        let digits = String(byte, radix: 16)
        self = byte < 16 ? "0" + digits : digits
    }

    func trimmingASCIIWhitespace() -> String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\n" || $0 == "\r" || $0 == "\r\n" || $0 == "\t" }
        var text = self[...].drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return String(text)
    }
}
