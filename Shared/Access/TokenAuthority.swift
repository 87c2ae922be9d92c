package import Domain
internal import JWTKit
internal import Synchronization

/// Signs and verifies access tokens: JWT with HMAC SHA-256 by this system's own secrets, of which the first signs and all
/// verify; and verifies those of an outside issuer with its public keys.
///
/// A token's `kid` chooses the key and the key the algorithm; what the header says must be that. A `kid` nobody knows is
/// refused. The issuer must be that of the key.
package final class TokenAuthority: Sendable {
    /// Seconds that no token may live. Revocations are kept so long.
    package static let longestLifetime = GrantLimits.longestLifetime
    /// How far the clocks of two machines may differ, in milliseconds.
    static let clockLeeway: Int64 = 60_000

    private struct Keys {
        /// The first signs.
        var own: [TokenKey] = []
        var signer: JWTKeyCollection?
        var outside: [String: TokenKey] = [:]
        var generation = 0
    }

    private let keys: Mutex<Keys>
    private let outside: OutsideIssuer?
    private let now: @Sendable () -> Timestamp

    /// - Parameters:
    ///   - secrets: the first signs, all verify.
    ///   - now: the clock, for tests.
    package init(
        secrets: [TokenSecret], outside: OutsideIssuer? = nil, now: @escaping @Sendable () -> Timestamp = { .now }
    ) async throws {
        keys = Mutex(Keys())
        self.outside = outside
        self.now = now
        try await use(secrets)
    }

    package convenience init(
        secret: TokenSecret, now: @escaping @Sendable () -> Timestamp = { .now }
    ) async throws {
        try await self.init(secrets: [secret], now: now)
    }

    /// From now on the first of `secrets` signs and all of them verify.
    package func use(_ secrets: [TokenSecret]) async throws {
        guard let first = secrets.first else { return }
        var own: [TokenKey] = []
        for secret in secrets { own.append(try await TokenKey(secret)) }
        let signer = await JWTKeyCollection().add(
            hmac: HMACKey(from: first.bytes), digestAlgorithm: .sha256, kid: JWKIdentifier(string: first.keyID))
        keys.withLock { [own] keys in
            keys.own = own
            keys.signer = signer
            keys.generation += 1
        }
    }

    /// From now on these are the keys of the outside issuer.
    package func use(_ set: JSONWebKeySet) {
        keys.withLock { keys in
            keys.outside = set.keys
            keys.generation += 1
        }
    }

    /// Another number whenever the keys are others: what was verified before may not be valid any more.
    package var generation: Int { keys.withLock { $0.generation } }

    // MARK: Sign

    /// - Parameters:
    ///   - lifetime: whole seconds, at least 1.
    ///   - session: what the token is granted in.
    ///   - issuedAt: now when nil.
    package func token(
        for user: UserID, role: Role, lifetime: Int, studentID: String? = nil, session: String? = nil,
        issuedAt: Timestamp? = nil
    ) async throws -> String {
        let issued = issuedAt ?? now()
        let expires = Timestamp(milliseconds: issued.milliseconds + Int64(lifetime) * 1000)
        let (signer, key) = keys.withLock { ($0.signer, $0.own.first?.id) }
        guard let signer, let key else { throw TokenSecretError("there is no secret to sign with") }
        return try await signer.sign(
            AccessClaims(
                user: user, role: role, issuedAt: issued, expiresAt: expires, id: UUIDv7.make().compactString,
                session: session, studentID: studentID),
            kid: JWKIdentifier(string: key))
    }

    // MARK: Verify

    /// - Throws: `TokenError`; with `.unknownKey`, newer keys may know the token.
    package func verify(_ text: String) throws(TokenError) -> AccessClaims {
        let token = try SignedToken(text)
        let (own, outsideKeys) = keys.withLock { ($0.own, $0.outside) }
        let claims: AccessClaims
        // Without a name it can only be one of our own; all of them have the same algorithm.
        let candidates = own.filter { token.keyID == nil || token.keyID == $0.id }
        if !candidates.isEmpty {
            try Self.check(token, candidates)
            claims = try AccessClaims(payload: token.payload)
        } else if let outside, let key = token.keyID.flatMap({ outsideKeys[$0] }) {
            try Self.check(token, [key])
            claims = try outside.claims(from: token.payload)
        } else {
            throw TokenError(.unknownKey, "the token is signed with a key this system does not know")
        }
        try check(claims)
        return claims
    }

    private static func check(_ token: SignedToken, _ keys: [TokenKey]) throws(TokenError) {
        guard keys.contains(where: { $0.algorithmName == token.algorithm }) else {
            throw TokenError(.badSignature, "the token is signed in another way than its key is for")
        }
        guard keys.contains(where: { $0.hasSigned(token) }) else {
            throw TokenError(.badSignature, "the token's signature is wrong")
        }
    }

    private func check(_ claims: AccessClaims) throws(TokenError) {
        let now = now()
        guard now < claims.expiresAt else {
            throw TokenError(.expired, "the token expired at \(claims.expiresAt.rfc3339)")
        }
        guard claims.issuedAt.milliseconds <= now.milliseconds + Self.clockLeeway else {
            throw TokenError(.notYetValid, "the token was issued in the future")
        }
        if let notBefore = claims.notBefore, notBefore.milliseconds > now.milliseconds + Self.clockLeeway {
            throw TokenError(.notYetValid, "the token is not valid before \(notBefore.rfc3339)")
        }
        let lifetime = claims.expiresAt.milliseconds - claims.issuedAt.milliseconds
        guard lifetime <= Int64(Self.longestLifetime) * 1000 else {
            throw TokenError(.malformed, "the token lives longer than \(Self.longestLifetime) seconds")
        }
    }
}
