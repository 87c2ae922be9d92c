internal import Audit
package import Domain
internal import Redis

/// A part of the list of users.
package struct UserPage: Sendable {
    package var users: [User]
    /// nil at the end of the list.
    package var nextCursor: String?
}

extension Accounts {
    package func user(_ id: UserID) async throws -> User? {
        try await stored(id)?.user
    }

    /// Users by name.
    ///
    /// - Parameters:
    ///   - role: nil lists all. With a role, a page may be short, and even empty, before the end.
    ///   - limit: 1 to 500.
    package func users(role: Role? = nil, cursor: String?, limit: Int) async throws -> UserPage {
        let limit = min(max(limit, 1), 500)
        let reply = try await client.send(
            ["ZRANGE", keys.names, cursor.map { "(\($0)" } ?? "-", "+", "BYLEX", "LIMIT", 0, limit + 1])
        let names = (reply.array ?? []).compactMap(\.string)
        guard !names.isEmpty else { return UserPage(users: [], nextCursor: nil) }
        let part = Array(names.prefix(limit))
        let records = try await client.send(RedisCommand("HMGET", arguments: [keys.records] + part)).array ?? []
        let users = try zip(part, records).compactMap { name, record in
            try record.bytes.map { try decode($0, user: UserID(name)) }
        }
        return UserPage(
            users: users.filter { role == nil || $0.role == role },
            nextCursor: names.count > limit ? part.last : nil)
    }

    /// - Throws: `AccountsError` with `.userExists`.
    package func create(_ user: User, by author: Author) async throws {
        var details = ["role": user.role.rawValue]
        details["student_id"] = user.studentID
        let entry = author.entry(.userCreated, user: user.id, details: details)
        guard case .done = try await commit(user, over: [], of: user.id, revoking: false, entry) else {
            throw AccountsError(.userExists, "there is a user \(user.id) already")
        }
    }

    /// Changes a user. A change of role, password or student number, and disabling, voids all that was granted before.
    ///
    /// - Parameter change: may be called several times.
    /// - Returns: the user as changed, and what was taken back.
    /// - Throws: `AccountsError` with `.noUser`, `.lastAdministrator` or `.contention`; what `change` throws.
    package func change(
        _ id: UserID, by author: Author, _ change: (inout User) throws -> Void
    ) async throws -> (User, Revocation?) {
        for _ in 0..<20 {
            guard let old = try await stored(id) else { throw Self.noUser(id) }
            var user = old.user
            try change(&user)
            let changed = user.parts(differingFrom: old.user)
            if changed.isEmpty { return (user, nil) }
            user.updatedAt = .now
            var details = ["changed": changed.joined(separator: ","), "role": user.role.rawValue]
            if user.isDisabled { details["disabled"] = "true" }
            let entry = author.entry(.userChanged, user: id, details: details)
            let isVoid = changed != ["disabled"] || user.isDisabled
            if case .done(let revocation) = try await commit(user, over: old.bytes, of: id, revoking: isVoid, entry) {
                return (user, revocation)
            }
        }
        throw AccountsError(.contention, "user \(id) changes too fast; try again")
    }

    /// Keeps the same password by another hash. Nothing that was granted is void.
    ///
    /// - Parameter user: as it was read.
    /// - Returns: the user as changed; nil when it is another one by now.
    package func rehash(_ user: User, as hash: String, by author: Author) async throws -> User? {
        guard let old = try await stored(user.id), old.user == user else { return nil }
        var user = user
        user.passwordHash = hash
        let entry = author.entry(.userChanged, user: user.id, details: ["changed": "hash", "role": user.role.rawValue])
        guard case .done = try await commit(user, over: old.bytes, of: user.id, revoking: false, entry) else {
            return nil
        }
        return user
    }

    /// Removes a user and voids what was granted to it. Exams of the user stay.
    ///
    /// - Throws: `AccountsError` with `.noUser`, `.lastAdministrator` or `.contention`.
    package func remove(_ id: UserID, by author: Author) async throws -> Revocation? {
        for _ in 0..<20 {
            guard let old = try await stored(id) else { throw Self.noUser(id) }
            let entry = author.entry(.userRemoved, user: id, details: ["role": old.user.role.rawValue])
            if case .done(let revocation) = try await commit(nil, over: old.bytes, of: id, revoking: true, entry) {
                return revocation
            }
        }
        throw AccountsError(.contention, "user \(id) changes too fast; try again")
    }

    /// Voids everything that was granted to a user until now. The user need not be one of this system's own.
    package func revokeAll(of id: UserID, by author: Author) async throws -> Revocation {
        let entry = try AuditCodec.arguments(author.entry(.sessionsRevoked, user: id))
        let reply = try await client.evaluate(
            AccountScripts.revokeUser, keys: [keys.audit, keys.revoked, keys.revocations, keys.sessions(of: id)],
            arguments: [id.rawValue, Self.longestLifetime * 1000, AuditCodec.maxEntries] + entry)
        return .user(id, before: Timestamp(milliseconds: Int64(reply.int ?? 0)))
    }

    // MARK: Inside

    struct StoredUser: Sendable {
        let user: User
        let bytes: [UInt8]
    }

    func stored(_ id: UserID) async throws -> StoredUser? {
        guard id.isValid, let bytes = try await client.send(["HGET", keys.records, id.rawValue]).bytes else {
            return nil
        }
        return StoredUser(user: try decode(bytes, user: id), bytes: bytes)
    }

    private enum Outcome {
        case done(Revocation?)
        /// The record is not what it was.
        case changed
    }

    private func commit(
        _ user: User?, over old: [UInt8], of id: UserID, revoking: Bool, _ entry: AuditEntry
    ) async throws -> Outcome {
        let isAdministrator = user?.role == .admin && user?.isDisabled == false
        let reply = try await client.evaluate(
            AccountScripts.changeUser,
            keys: [
                keys.records, keys.names, keys.administrators, keys.audit, keys.revoked, keys.revocations,
                keys.sessions(of: id),
            ],
            arguments: [
                id.rawValue, old, try user.map { try JSON.encode($0) } ?? [], isAdministrator ? "admin" : "",
                revoking ? "revoke" : "", Self.longestLifetime * 1000, AuditCodec.maxEntries,
            ] + AuditCodec.arguments(entry))
        switch reply.array?.first?.string {
        case "OK":
            let time = reply.array?.last?.int ?? 0
            return .done(revoking ? .user(id, before: Timestamp(milliseconds: Int64(time))) : nil)
        case "LAST":
            throw AccountsError(
                .lastAdministrator, "\(id) is the only administrator who can sign in; make another one first")
        default:
            return .changed
        }
    }

    private static func noUser(_ id: UserID) -> AccountsError {
        AccountsError(.noUser, "there is no user \(id)")
    }
}

extension User {
    /// Names of what differs, without the values.
    fileprivate func parts(differingFrom old: User) -> [String] {
        var parts: [String] = []
        if role != old.role { parts.append("role") }
        if passwordHash != old.passwordHash { parts.append("password") }
        if studentID != old.studentID { parts.append("student_id") }
        if disabledAt != old.disabledAt { parts.append("disabled") }
        return parts
    }
}
