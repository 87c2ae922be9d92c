package import Domain
internal import FoundationEssentials
internal import JWTKit

/// Signs and verifies access tokens: JWT with HMAC SHA-256 and nothing else, whatever a token's header asks for.
package struct TokenAuthority: Sendable {
    /// Longer tokens are refused unread.
    static let maxTokenBytes = 4096
    /// How far the clocks of two machines may differ, in milliseconds.
    static let clockLeeway: Int64 = 60_000

    private let keys: JWTKeyCollection
    private let now: @Sendable () -> Timestamp

    /// - Parameter now: the clock, for tests.
    package init(secret: TokenSecret, now: @escaping @Sendable () -> Timestamp = { .now }) async {
        keys = JWTKeyCollection()
        await keys.add(hmac: HMACKey(from: secret.bytes), digestAlgorithm: .sha256)
        self.now = now
    }

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
        return try await keys.sign(
            AccessClaims(
                user: user, role: role, issuedAt: issued, expiresAt: expires, id: UUIDv7.make().compactString,
                session: session, studentID: studentID))
    }

    /// - Throws: `TokenError`.
    package func verify(_ token: String) async throws(TokenError) -> AccessClaims {
        guard token.utf8.count <= Self.maxTokenBytes else { throw TokenError(.malformed, "the token is too long") }
        try checkHeader(of: token)
        let claims: AccessClaims
        do {
            claims = try await keys.verify(token, as: AccessClaims.self)
        } catch let error as TokenError {
            throw error
        } catch let error as JWTError where error.errorType == .signatureVerificationFailed {
            throw TokenError(.badSignature, "the token's signature is wrong")
        } catch {
            throw TokenError(.malformed, "the token is malformed or lacks a claim")
        }
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
        return claims
    }

    /// The library takes its only key for any `alg` and any unknown `kid`; both must be what this authority writes.
    private func checkHeader(of token: String) throws(TokenError) {
        struct Header: Decodable {
            var alg: String
            var kid: String?
            var crit: [String]?
        }
        guard
            let part = token.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).first,
            let bytes = Data(base64URL: part),
            let header = try? JSON.decode(Header.self, from: bytes)
        else { throw TokenError(.malformed, "the token is malformed") }
        guard header.alg == "HS256", header.kid == nil, header.crit == nil else {
            throw TokenError(.badSignature, "the token is signed in another way than this system's")
        }
    }
}
