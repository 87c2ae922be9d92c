package import Domain
internal import Redis

extension Accounts {
    private static let blockTime: Duration = .seconds(10)

    /// Everything that is revoked and would live otherwise.
    package func revocations() async throws -> [Revocation] {
        try await snapshot().revocations
    }

    /// When everything that had been granted to a user was last taken back.
    package func latestRevocation(of user: UserID) async throws -> Timestamp? {
        let reply = try await client.send(["ZSCORE", keys.revoked, user.rawValue])
        return reply.double.map { Timestamp(milliseconds: Int64($0)) }
    }

    /// Hands over everything that is revoked, and then what is, as it happens: for every gateway, which sees each within
    /// a moment. Has a connection of its own.
    ///
    /// - Parameter apply: May get the same more than once.
    /// - Throws: `RedisError` when the connection is lost: call it again, and nothing is missed. Ends without an error
    ///   only when the task is cancelled.
    package func follow(_ apply: @Sendable (Revocation) -> Void) async throws {
        try await client.withDedicatedConnection { connection in
            var (position, revocations) = try await snapshot()
            revocations.forEach(apply)
            while !Task.isCancelled {
                let reply = try await connection.send(
                    [
                        "XREAD", "COUNT", 512, "BLOCK", Self.blockTime.wholeMilliseconds, "STREAMS", keys.revocations,
                        position,
                    ],
                    blockingFor: Self.blockTime)
                for entry in reply.array?.first?.array?.last?.array ?? [] {
                    guard let parts = entry.array, parts.count == 2, let id = parts[0].string else { continue }
                    position = id
                    if let revocation = revocation(parts[1]) { apply(revocation) }
                }
            }
        }
    }

    private func snapshot() async throws -> (position: String, revocations: [Revocation]) {
        let reply = try await client.evaluate(
            AccountScripts.revocations, keys: [keys.revoked, keys.revokedIDs, keys.revocations],
            arguments: [Self.longestLifetime * 1000])
        guard let values = reply.array, values.count == 3, let position = values[0].string else {
            throw AccountsError(.corrupt, "the script of revocations answered \(reply)")
        }
        let users = (values[1].fields ?? []).map { name, value in
            Revocation.user(UserID(name), before: time(value))
        }
        let identifiers = (values[2].fields ?? []).compactMap { name, value -> Revocation? in
            let parts = name.split(separator: " ")
            guard parts.count == 2 else { return nil }
            return .identifier(String(parts[0]), user: UserID(String(parts[1])), until: time(value))
        }
        return (position, users + identifiers)
    }

    private func revocation(_ entry: RESPValue) -> Revocation? {
        let fields = Dictionary(
            (entry.fields ?? []).map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        guard let user = fields["user"]?.string.map({ UserID($0) }) else { return nil }
        if let id = fields["id"]?.string { return .identifier(id, user: user, until: time(fields["until"])) }
        return .user(user, before: time(fields["before"]))
    }
}
