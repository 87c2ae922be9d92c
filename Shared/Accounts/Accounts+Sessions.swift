package import Domain
internal import Redis

/// What a user is granted who has signed in or comes back with the secret of a session.
package struct SessionGrant: Sendable {
    package var user: User
    /// By the clock of Redis, behind every revocation of the user so far. The access token must say so.
    package var issuedAt: Timestamp
    /// When the session ends.
    package var endsAt: Timestamp
}

/// A session as Redis knows it: by hashes alone.
package struct SessionKey: Sendable, Equatable {
    package var user: UserID
    /// Names the session in access tokens too; what it is made of is in its refresh tokens alone.
    package var session: String
    package var secretHash: String

    package init(user: UserID, session: String, secretHash: String) {
        self.user = user
        self.session = session
        self.secretHash = secretHash
    }
}

extension Accounts {
    /// A user with more gets rid of the oldest.
    static let maxSessions = 100
    /// As many windows of a browser may come at the same time.
    static let maxSecrets = 16

    package enum Refresh: Sendable {
        case granted(SessionGrant)
        /// A secret came a second time, too late: the session is void, and with it what is returned.
        case reused(Revocation)
        /// There is no such session, or not any more.
        case none
    }

    /// Opens a session for `user`, who has shown the right password.
    ///
    /// - Parameters:
    ///   - tokenLifetime: of an access token.
    ///   - lifetime: of the session.
    /// - Returns: nil when the user has another password by now, is disabled or gone.
    package func open(
        _ key: SessionKey, for user: User, tokenLifetime: Duration, lifetime: Duration
    ) async throws -> SessionGrant? {
        let reply = try await client.evaluate(
            AccountScripts.openSession, keys: [keys.records, keys.revoked, keys.sessions(of: key.user)],
            arguments: [
                key.user.rawValue, user.passwordHash, key.session, key.secretHash, tokenLifetime.wholeMilliseconds,
                lifetime.wholeMilliseconds, Self.maxSessions,
            ])
        return try grant(reply.array ?? [], key.user)
    }

    /// Exchanges the secret of a session for `nextHash`'s.
    ///
    /// - Parameter grace: how long a secret is good after its exchange.
    package func refresh(
        _ key: SessionKey, nextHash: String, tokenLifetime: Duration, grace: Duration
    ) async throws -> Refresh {
        let reply = try await client.evaluate(
            AccountScripts.refreshSession,
            keys: [keys.records, keys.revoked, keys.sessions(of: key.user), keys.revokedIDs, keys.revocations],
            arguments: [
                key.user.rawValue, key.session, key.secretHash, nextHash, tokenLifetime.wholeMilliseconds,
                grace.wholeMilliseconds, Self.maxSecrets,
            ])
        let values = reply.array ?? []
        switch values.first?.string {
        case "OK":
            guard let grant = try grant(Array(values.dropFirst()), key.user) else { return .none }
            return .granted(grant)
        case "REUSED":
            return .reused(.identifier(key.session, user: key.user, until: time(values.last)))
        default:
            return .none
        }
    }

    /// Voids a session, or a token of no session, by its identifier.
    ///
    /// - Parameter until: when the access token that is known ends; nil when none is.
    /// - Returns: nil when there was no such session and no token is known.
    package func close(_ identifier: String, of user: UserID, until: Timestamp?) async throws -> Revocation? {
        let reply = try await client.evaluate(
            AccountScripts.closeSession, keys: [keys.sessions(of: user), keys.revokedIDs, keys.revocations],
            arguments: [user.rawValue, identifier, until?.milliseconds ?? 0])
        let end = time(reply)
        return end.milliseconds > 0 ? .identifier(identifier, user: user, until: end) : nil
    }

    private func grant(_ values: [RESPValue], _ user: UserID) throws -> SessionGrant? {
        guard values.count == 3, let record = values[2].bytes else { return nil }
        return SessionGrant(
            user: try decode(record, user: user), issuedAt: time(values[0]), endsAt: time(values[1]))
    }

    func time(_ value: RESPValue?) -> Timestamp {
        Timestamp(milliseconds: Int64(value?.int ?? 0))
    }
}

extension Duration {
    var wholeMilliseconds: Int { Int(self / .milliseconds(1)) }
}
