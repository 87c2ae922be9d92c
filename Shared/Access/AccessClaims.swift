package import Domain
internal import FoundationEssentials
package import JWTKit

/// What an access token says about its bearer. `TokenAuthority` writes and checks it.
package struct AccessClaims: JWTPayload, Equatable {
    package static let issuerName = "zhiyue"
    package static let audienceName = "zhiyue"

    package var user: UserID
    package var role: Role
    package var issuedAt: Timestamp
    package var expiresAt: Timestamp
    package var issuer: String
    package var audience: [String]
    /// Not valid before; nil for a token that is valid from the start.
    package var notBefore: Timestamp?
    /// Of this token alone.
    package var id: String?
    /// The session it was granted in, if any.
    package var session: String?
    /// Of a student: the number on the student's sheets.
    package var studentID: String?

    package init(
        user: UserID, role: Role, issuedAt: Timestamp, expiresAt: Timestamp, id: String? = nil, session: String? = nil,
        studentID: String? = nil
    ) {
        self.user = user
        self.role = role
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        issuer = Self.issuerName
        audience = [Self.audienceName]
        self.id = id
        self.session = session
        self.studentID = studentID
    }

    enum CodingKeys: String, CodingKey {
        case user = "sub"
        case role
        case issuedAt = "iat"
        case expiresAt = "exp"
        case issuer = "iss"
        case audience = "aud"
        case notBefore = "nbf"
        case id = "jti"
        case session = "sid"
        case studentID = "student_id"
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        user = try container.decode(UserID.self, forKey: .user)
        role = try container.decode(Role.self, forKey: .role)
        issuedAt = try container.decodeSeconds(forKey: .issuedAt)
        expiresAt = try container.decodeSeconds(forKey: .expiresAt)
        issuer = try container.decode(String.self, forKey: .issuer)
        // One name or several; the library's own type for this traps on none.
        if let name = try? container.decode(String.self, forKey: .audience) {
            audience = [name]
        } else {
            audience = try container.decode([String].self, forKey: .audience)
        }
        if container.contains(.notBefore) { notBefore = try container.decodeSeconds(forKey: .notBefore) }
        id = try container.decodeIfPresent(String.self, forKey: .id)
        session = try container.decodeIfPresent(String.self, forKey: .session)
        studentID = try container.decodeIfPresent(String.self, forKey: .studentID)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(user, forKey: .user)
        try container.encode(role, forKey: .role)
        // Not whole seconds: a revocation is told from what was granted right behind it.
        try container.encode(Double(issuedAt.milliseconds) / 1000, forKey: .issuedAt)
        try container.encode(Double(expiresAt.milliseconds) / 1000, forKey: .expiresAt)
        try container.encode(issuer, forKey: .issuer)
        if audience.count == 1 {
            try container.encode(audience[0], forKey: .audience)
        } else {
            try container.encode(audience, forKey: .audience)
        }
        try container.encodeIfPresent(notBefore.map { Double($0.milliseconds) / 1000 }, forKey: .notBefore)
        try container.encodeIfPresent(id, forKey: .id)
        try container.encodeIfPresent(session, forKey: .session)
        try container.encodeIfPresent(studentID, forKey: .studentID)
    }

    /// Of a token whose signature is right.
    ///
    /// - Throws: `TokenError` when a claim is missing or not this system's. Times are `TokenAuthority`'s to check.
    init(payload: [UInt8]) throws(TokenError) {
        guard let claims = try? JSON.decode(AccessClaims.self, from: payload) else {
            throw TokenError(.malformed, "the token is malformed or lacks a claim")
        }
        guard claims.issuer == Self.issuerName else {
            throw TokenError(.foreign, "the token is not issued by \(Self.issuerName)")
        }
        guard claims.audience.contains(Self.audienceName) else {
            throw TokenError(.foreign, "the token is not meant for \(Self.audienceName)")
        }
        guard claims.user.isValid else { throw TokenError(.malformed, "the token names no valid user") }
        self = claims
    }

    /// The library would call it, if it were what verifies.
    package func verify(using algorithm: some JWTAlgorithm) throws {}
}

extension KeyedDecodingContainer {
    /// A NumericDate (RFC 7519): seconds since 1970, fractions allowed, within the years 1970 to 9999.
    fileprivate func decodeSeconds(forKey key: Key) throws -> Timestamp {
        let seconds = try decode(Double.self, forKey: key)
        guard seconds >= 0, seconds < 253_402_300_800 else {
            throw DecodingError.dataCorruptedError(forKey: key, in: self, debugDescription: "no time")
        }
        return Timestamp(milliseconds: Int64((seconds * 1000).rounded()))
    }
}
