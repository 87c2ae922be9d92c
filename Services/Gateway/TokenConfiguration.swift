import Access
import FoundationEssentials
import ServiceKit

/// Whose tokens the gateway accepts.
struct TokenConfiguration: Sendable {
    /// `JWT_SECRET`; nil uses the file.
    var secret: String?
    /// `JWT_SECRET_PREVIOUS`: verifies what was signed before `JWT_SECRET` was changed.
    var previousSecret: String?
    /// `JWT_SECRET_FILE`; nil is `jwt-secret` of the data directory.
    var secretFile: String?
    /// `JWT_ISSUER`, `JWT_AUDIENCE`, `JWT_ROLE_CLAIM`, `JWT_USER_CLAIM`, `JWT_STUDENT_CLAIM`
    var outside: OutsideIssuer?
    /// `JWT_JWKS_FILE` or `JWT_JWKS_URL`: with one of them, tokens of an outside issuer are accepted beside our own.
    var keySet: KeySetLocation?

    init() {}

    /// - Throws: `SettingsError`.
    init(reader: SettingsReader) throws {
        secret = reader.text("JWT_SECRET", isSecret: true)
        previousSecret = reader.text("JWT_SECRET_PREVIOUS", isSecret: true)
        secretFile = reader.text("JWT_SECRET_FILE")
        guard secret == nil || secretFile == nil else {
            throw SettingsError(name: "JWT_SECRET_FILE", problem: "and JWT_SECRET exclude each other")
        }
        guard previousSecret == nil || secret != nil else {
            throw SettingsError(name: "JWT_SECRET_PREVIOUS", problem: "needs JWT_SECRET")
        }
        switch (reader.text("JWT_JWKS_FILE"), reader.text("JWT_JWKS_URL")) {
        case (nil, nil): return
        case (let path?, nil): keySet = .file(path)
        case (nil, let url?): keySet = .url(try Self.checked(url))
        default: throw SettingsError(name: "JWT_JWKS_URL", problem: "and JWT_JWKS_FILE exclude each other")
        }
        var issuer = OutsideIssuer(
            issuer: try Self.required("JWT_ISSUER", reader), audience: try Self.required("JWT_AUDIENCE", reader))
        guard issuer.issuer != AccessClaims.issuerName else {
            throw SettingsError(name: "JWT_ISSUER", problem: "must not be the name this system has itself")
        }
        issuer.roleClaim = reader.text("JWT_ROLE_CLAIM") ?? issuer.roleClaim
        issuer.userClaim = reader.text("JWT_USER_CLAIM") ?? issuer.userClaim
        issuer.studentClaim = reader.text("JWT_STUDENT_CLAIM") ?? issuer.studentClaim
        outside = issuer
    }

    private static func required(_ name: String, _ reader: SettingsReader) throws -> String {
        guard let text = reader.text(name) else {
            throw SettingsError(name: name, problem: "is needed with JWT_JWKS_FILE or JWT_JWKS_URL")
        }
        return text
    }

    /// Whoever can change keys on their way can sign tokens.
    private static func checked(_ text: String) throws -> String {
        let url = URL(string: text)
        let isLocal = ["127.0.0.1", "::1", "[::1]", "localhost"].contains(url?.host() ?? "")
        guard let url, url.host()?.isEmpty == false, url.scheme == "https" || url.scheme == "http" && isLocal else {
            throw SettingsError(
                name: "JWT_JWKS_URL", problem: "must begin with https:// (http:// on this machine alone)")
        }
        return text
    }
}
