internal import Crypto
internal import Domain
internal import FoundationEssentials
internal import Glibc

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

    /// `secret` when there is one, else what is in `DIRECTORY/jwt-secret`. That file is made, readable by its owner
    /// only, when it is absent; of several processes that do so at once one wins and all use its secret.
    package static func load(secret: String?, directory: String) throws(TokenSecretError) -> TokenSecret {
        if let secret, !secret.isEmpty { return try TokenSecret(secret) }
        let path = "\(directory)/\(fileName)"
        if access(path, F_OK) != 0 { try create(at: path) }
        guard let content = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw TokenSecretError("cannot read the token secret \(path)")
        }
        return try TokenSecret(content.trimmingASCIIWhitespace())
    }

    /// Written aside and linked into place, so nobody ever reads half a secret.
    private static func create(at path: String) throws(TokenSecretError) {
        let key = SymmetricKey(size: .bits256)
        let text = key.withUnsafeBytes { $0.map { String(hexadecimal: $0) }.joined() }
        let temporary = "\(path).\(UUIDv7.make().compactString)"
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw TokenSecretError("cannot write \(temporary): \(String(cString: strerror(errno)))")
        }
        defer { unlink(temporary) }
        let written = Array(text.utf8).withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        guard written == text.utf8.count, fsync(file) == 0, close(file) == 0 else {
            throw TokenSecretError("cannot write \(temporary): \(String(cString: strerror(errno)))")
        }
        guard link(temporary, path) == 0 || errno == EEXIST else {
            throw TokenSecretError("cannot make \(path): \(String(cString: strerror(errno)))")
        }
    }
}

package struct TokenSecretError: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

extension String {
    fileprivate init(hexadecimal byte: UInt8) {
        let digits = String(byte, radix: 16)
        self = byte < 16 ? "0" + digits : digits
    }

    fileprivate func trimmingASCIIWhitespace() -> String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\n" || $0 == "\r" || $0 == "\r\n" || $0 == "\t" }
        var text = self[...].drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return String(text)
    }
}
