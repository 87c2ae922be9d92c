internal import Audit
package import Domain
internal import EventBus
package import Redis

/// Users, their sessions and failed sign-ins in Redis, and what was taken back from them.
///
/// All of it has one hash tag, so a change of a user, its entry of the audit log and the revocation of what was granted
/// to the user are one script.
package struct Accounts: Sendable {
    /// Seconds that revocations are kept.
    package static let longestLifetime = GrantLimits.longestLifetime

    let client: RedisClient
    let keys: AccountKeys

    package init(client: RedisClient, keys: RedisKeys) {
        self.client = client
        self.keys = AccountKeys(keys: keys)
    }

    func decode(_ bytes: [UInt8], user id: UserID) throws -> User {
        do {
            return try JSON.decode(User.self, from: bytes)
        } catch {
            throw AccountsError(.corrupt, "user \(id) cannot be decoded: \(error)")
        }
    }
}

/// Who changes something, for the audit log.
package struct Author: Sendable {
    /// A user of the system, `os:` and a user of the machine, or nil for the system itself.
    package var actor: String?
    package var address: String?
    /// The process: `/zhiyue/gateway`.
    package var source: String
    package var correlationID: CorrelationID?

    package init(actor: String?, address: String?, source: String, correlationID: CorrelationID? = nil) {
        self.actor = actor
        self.address = address
        self.source = source
        self.correlationID = correlationID
    }

    package init(_ context: EventContext) {
        self.init(
            actor: context.actor?.rawValue, address: context.address, source: context.source,
            correlationID: context.correlationID)
    }

    func entry(_ action: AuditAction, user: UserID, details: [String: String] = [:]) -> AuditEntry {
        AuditEntry(
            action, actor: actor, address: address, source: source, subject: "user/\(user)",
            correlationID: correlationID, details: details)
    }
}

/// The keys of accounts: all in one slot.
struct AccountKeys: Sendable {
    let keys: RedisKeys

    /// Hash: user to record.
    var records: String { keys.global("{users}:records") }
    /// Sorted set of all names, by name.
    var names: String { keys.global("{users}:names") }
    /// Set of the administrators who may sign in.
    var administrators: String { keys.global("{users}:administrators") }
    var audit: String { keys.auditUsers }
    /// Sorted set of users by the time of their latest revocation.
    var revoked: String { keys.global("{users}:revoked") }
    /// Sorted set of `<session or token> <user>` by the time from which they need not be known any more.
    var revokedIDs: String { keys.global("{users}:revoked:ids") }
    /// Stream of revocations as they happen.
    var revocations: String { keys.global("{users}:revocations") }

    /// Hash: session to its record.
    func sessions(of user: UserID) -> String { keys.global("{users}:sessions:\(user)") }
    /// Counter of failed sign-ins, by what is left of a name or by an address.
    func failures(_ kind: String, _ value: String) -> String { keys.global("{users}:failures:\(kind):\(value)") }
}

enum AccountScripts {
    static let changeUser = script("change user", PackageResources.change_user_lua)
    static let beginSignIn = script("begin sign-in", PackageResources.begin_sign_in_lua)
    static let endSignIn = script("end sign-in", PackageResources.end_sign_in_lua)
    static let unlock = script("unlock", PackageResources.unlock_lua)
    static let openSession = script("open session", PackageResources.open_session_lua)
    static let refreshSession = script("refresh session", PackageResources.refresh_session_lua)
    static let closeSession = script("close session", PackageResources.close_session_lua)
    static let revocations = script("revocations", PackageResources.revocations_lua)
    static let revokeUser = script("revoke user", PackageResources.revoke_user_lua)

    private static func script(_ name: String, _ source: [UInt8]) -> RedisScript {
        RedisScript(name: name, source: PackageResources.revocation_lua + source)
    }
}
