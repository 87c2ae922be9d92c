internal import Crypto
internal import Domain
internal import FoundationEssentials
internal import Glibc

/// The file with the secrets that access tokens are signed with: one a line, of which the first signs and all verify.
/// Readable by its owner alone.
package struct TokenSecretFile: Sendable {
    package static let maxSecrets = 8

    package let path: String

    package init(path: String) {
        self.path = path
    }

    /// - Throws: `TokenSecretError` when it cannot be read or a secret in it is too short.
    package func read() throws(TokenSecretError) -> [TokenSecret] {
        guard let content = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw TokenSecretError("cannot read the token secret \(path)")
        }
        var secrets: [TokenSecret] = []
        for line in content.split(whereSeparator: \.isNewline) {
            let text = String(line).trimmingASCIIWhitespace()
            if !text.isEmpty { secrets.append(try TokenSecret(text)) }
        }
        guard !secrets.isEmpty, secrets.count <= Self.maxSecrets else {
            throw TokenSecretError("\(path) must hold 1 to \(Self.maxSecrets) secrets, one a line")
        }
        return secrets
    }

    /// Makes it with one new secret, when it is absent; of several processes that do so at once one wins.
    func create() throws(TokenSecretError) {
        if access(path, F_OK) == 0 { return }
        let temporary = try writeAside([Self.random()])
        defer { unlink(temporary) }
        guard link(temporary, path) == 0 || errno == EEXIST else {
            throw TokenSecretError("cannot make \(path): \(String(cString: strerror(errno)))")
        }
    }

    /// Puts a new secret in front, which signs from now on, and keeps some of the former ones, which still verify.
    ///
    /// - Parameter kept: how many former ones, the latest; 0 to 7. What was signed with others is void.
    /// - Returns: all secrets there are now.
    package func rotate(keeping kept: Int) throws(TokenSecretError) -> [TokenSecret] {
        let secrets = [try TokenSecret(Self.random())] + (try read()).prefix(min(max(kept, 0), Self.maxSecrets - 1))
        let temporary = try writeAside(secrets.map { String(decoding: $0.bytes, as: UTF8.self) })
        guard rename(temporary, path) == 0 else {
            let reason = String(cString: strerror(errno))
            unlink(temporary)
            throw TokenSecretError("cannot replace \(path): \(reason)")
        }
        return secrets
    }

    /// What differs when the file was written anew; nil when it cannot be told.
    package var stamp: String? { FileStamp.of(path) }

    private static func random() -> String {
        SymmetricKey(size: .bits256).withUnsafeBytes { $0.map { String(hexadecimal: $0) }.joined() }
    }

    /// Written aside, so nobody ever reads half a secret.
    private func writeAside(_ lines: [String]) throws(TokenSecretError) -> String {
        let temporary = "\(path).\(UUIDv7.make().compactString)"
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw TokenSecretError("cannot write \(temporary): \(String(cString: strerror(errno)))")
        }
        let text = Array(lines.map { $0 + "\n" }.joined().utf8)
        let written = text.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        let isSafe = written == text.count && fsync(file) == 0
        guard close(file) == 0, isSafe else {
            unlink(temporary)
            throw TokenSecretError("cannot write \(temporary)")
        }
        return temporary
    }
}

/// Tells whether a file was written anew.
package enum FileStamp {
    package static func of(_ path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return "\(status.st_ino) \(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
    }
}

/// Where this system's own secrets come from.
package struct TokenSecretSource: Sendable {
    /// `JWT_SECRET`, and `JWT_SECRET_PREVIOUS` behind it.
    package let given: [TokenSecret]
    /// When none is given.
    package let file: TokenSecretFile

    /// - Parameters:
    ///   - secret: goes before the file.
    ///   - previous: verifies what was signed before `secret` was changed.
    ///   - path: nil for `jwt-secret` in `directory`.
    package init(secret: String?, previous: String? = nil, path: String? = nil, directory: String)
        throws(TokenSecretError)
    {
        var given: [TokenSecret] = []
        if let secret, !secret.isEmpty {
            given.append(try TokenSecret(secret))
            if let previous, !previous.isEmpty { given.append(try TokenSecret(previous)) }
        }
        self.given = given
        file = TokenSecretFile(path: path ?? "\(directory)/\(TokenSecret.fileName)")
    }

    /// The secrets, the one that signs first. The file is made when it is needed and absent.
    package func load() throws(TokenSecretError) -> [TokenSecret] {
        guard given.isEmpty else { return given }
        try file.create()
        return try file.read()
    }
}
