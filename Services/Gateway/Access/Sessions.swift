import Access
import Accounts
import Domain

/// Grants access tokens, each with a refresh token of a session, and takes them back.
struct Sessions: Sendable {
    let accounts: Accounts
    let tokens: TokenAuthority
    let revocations: RevocationList
    /// Of an access token, in seconds.
    let tokenLifetime: Int
    /// Of a session, from the sign-in on, in seconds.
    let lifetime: Int
    /// How long a refresh token is good after its use, in seconds.
    let grace: Int

    /// - Returns: nil when the user has another password by now, is disabled or gone.
    func open(for user: User) async throws -> Grant? {
        let refresh = RefreshToken(for: user.id)
        let granted = try await accounts.open(
            SessionKey(refresh), for: user, tokenLifetime: .seconds(tokenLifetime), lifetime: .seconds(lifetime))
        guard let granted else { return nil }
        return try await grant(granted, refresh)
    }

    enum Refresh {
        case granted(Grant)
        /// Somebody else has used it.
        case reused(UserID)
        case none
    }

    func refresh(_ token: RefreshToken) async throws -> Refresh {
        let next = token.next()
        let outcome = try await accounts.refresh(
            SessionKey(token), nextHash: next.secretHash, tokenLifetime: .seconds(tokenLifetime), grace: .seconds(grace)
        )
        switch outcome {
        case .granted(let granted): return .granted(try await grant(granted, next))
        case .reused(let revocation):
            revocations.apply(revocation)
            return .reused(token.user)
        case .none: return .none
        }
    }

    /// Voids a session and its access tokens.
    ///
    /// - Returns: false when there is no such session, or not any more.
    func close(_ token: RefreshToken) async throws -> Bool {
        let revocation = try await accounts.close(token.session, of: token.user, until: nil)
        if let revocation { revocations.apply(revocation) }
        return revocation != nil
    }

    /// Voids an access token, with its session if it has one. One that carries no identifier cannot be voided alone.
    func close(_ claims: AccessClaims) async throws {
        guard let identifier = claims.session ?? claims.id else { return }
        let revocation = try await accounts.close(identifier, of: claims.user, until: claims.expiresAt)
        if let revocation { revocations.apply(revocation) }
    }

    private func grant(_ granted: SessionGrant, _ refresh: RefreshToken) async throws -> Grant {
        let user = granted.user
        let token = try await tokens.token(
            for: user.id, role: user.role, lifetime: tokenLifetime, studentID: user.studentID,
            session: refresh.session, issuedAt: granted.issuedAt)
        let left = (granted.endsAt.milliseconds - granted.issuedAt.milliseconds) / 1000
        return Grant(
            accessToken: token, expiresIn: tokenLifetime, refreshToken: refresh.text,
            refreshExpiresIn: max(0, Int(left)))
    }
}

/// What a client gets that has signed in (RFC 6749, section 5.1).
struct Grant: Encodable, Sendable {
    var accessToken: String
    var tokenType = "Bearer"
    var expiresIn: Int
    var refreshToken: String
    var refreshExpiresIn: Int

    enum CodingKeys: String, CodingKey {
        case accessToken = "access_token"
        case tokenType = "token_type"
        case expiresIn = "expires_in"
        case refreshToken = "refresh_token"
        case refreshExpiresIn = "refresh_expires_in"
    }
}

extension SessionKey {
    fileprivate init(_ token: RefreshToken) {
        self.init(user: token.user, session: token.session, secretHash: token.secretHash)
    }
}
