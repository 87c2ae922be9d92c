package import Domain

/// A system that signs tokens for this one, and where in its tokens it says what this one needs.
package struct OutsideIssuer: Sendable, Equatable {
    /// `iss` must be this.
    package var issuer: String
    /// `aud` must be or hold this.
    package var audience: String
    /// A claim, or a path of them: `realm_access.roles`. Its value is a name of a role, or several of which the highest
    /// counts.
    package var roleClaim = "role"
    package var userClaim = "sub"
    /// Of students.
    package var studentClaim = "student_id"

    package init(issuer: String, audience: String) {
        self.issuer = issuer
        self.audience = audience
    }

    /// From the highest on.
    private static let roles: [Role] = [.admin, .service, .teacher, .marker, .student]

    /// - Throws: `TokenError`.
    func claims(from payload: [UInt8]) throws(TokenError) -> AccessClaims {
        guard let all = try? JSON.decode(ClaimValue.self, from: payload), all.fields != nil else {
            throw TokenError(.malformed, "the token's claims are malformed")
        }
        guard all["iss"]?.text == issuer else { throw TokenError(.foreign, "the token is of another issuer") }
        guard all["aud"]?.texts.contains(audience) == true else {
            throw TokenError(.foreign, "the token is meant for another audience")
        }
        guard let expiresAt = all["exp"]?.time else { throw TokenError(.malformed, "the token lacks exp") }
        guard let user = all[path: userClaim]?.text.map({ UserID($0) }), user.isValid else {
            throw TokenError(.malformed, "the token's \(userClaim) is no valid user name")
        }
        let names = all[path: roleClaim]?.texts ?? []
        guard let role = Self.roles.first(where: { names.contains($0.rawValue) }) else {
            throw TokenError(.foreign, "the token's \(roleClaim) names no role of this system")
        }
        for name in ["nbf", "iat"] where all[name] != nil && all[name]?.time == nil {
            throw TokenError(.malformed, "the token's \(name) is no time")
        }
        // Without a time of issue the token counts as old as it can be: a revocation voids it.
        let earliest = Timestamp(milliseconds: expiresAt.milliseconds - Int64(TokenAuthority.longestLifetime) * 1000)
        var claims = AccessClaims(
            user: user, role: role, issuedAt: all["iat"]?.time ?? all["nbf"]?.time ?? earliest, expiresAt: expiresAt,
            id: all["jti"]?.text, session: all["sid"]?.text,
            studentID: role == .student ? all[path: studentClaim]?.text : nil)
        claims.notBefore = all["nbf"]?.time
        claims.issuer = issuer
        claims.audience = [audience]
        return claims
    }
}

/// A claim of whatever kind.
private enum ClaimValue: Decodable {
    case text(String)
    case number(Double)
    case list([ClaimValue])
    case object([String: ClaimValue])
    case other

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode([ClaimValue].self) {
            self = .list(value)
        } else if let value = try? container.decode([String: ClaimValue].self) {
            self = .object(value)
        } else {
            self = .other
        }
    }

    var fields: [String: ClaimValue]? { if case .object(let fields) = self { fields } else { nil } }
    var text: String? { if case .text(let text) = self { text } else { nil } }

    var texts: [String] {
        switch self {
        case .text(let text): [text]
        case .list(let values): values.compactMap(\.text)
        default: []
        }
    }

    /// A NumericDate (RFC 7519) of the years 1970 to 9999.
    var time: Timestamp? {
        guard case .number(let seconds) = self, seconds >= 0, seconds < 253_402_300_800 else { return nil }
        return Timestamp(milliseconds: Int64((seconds * 1000).rounded()))
    }

    subscript(name: String) -> ClaimValue? { fields?[name] }

    /// By its whole name, which may hold dots, or by names with dots between.
    subscript(path path: String) -> ClaimValue? {
        if let value = self[path] { return value }
        return path.split(separator: ".").reduce(Optional(self)) { $0?[String($1)] }
    }
}
