internal import Audit
package import Domain
internal import Redis

/// How many sign-ins may fail.
package struct SignInLimits: Sendable, Equatable {
    /// Of one user name; 0 for any number.
    package var failuresPerUser = 10
    /// From one address; 0 for any number. A whole school may share one.
    package var failuresPerAddress = 100
    /// After which failures are forgotten, from the first one on.
    package var window: Duration = .seconds(900)

    package init() {}
}

/// A try to sign in, by what it is counted under.
package struct SignInAttempt: Sendable, Equatable {
    /// Made of the name so that nobody can read it: it may be a password in the wrong field.
    package let nameDigest: String
    /// Of the other end.
    package let network: String

    package init(nameDigest: String, network: String) {
        self.nameDigest = nameDigest
        self.network = network
    }
}

extension Accounts {
    /// Counts a try as failed, unless there are too many already.
    ///
    /// - Returns: nil when the password may be compared; else the time until a try is allowed again.
    package func begin(_ attempt: SignInAttempt, limits: SignInLimits) async throws -> Duration? {
        let reply = try await client.evaluate(
            AccountScripts.beginSignIn, keys: failures(attempt),
            arguments: [
                limits.failuresPerUser, limits.failuresPerAddress,
                max(1, Int(limits.window / .milliseconds(1))),
            ])
        guard let wait = reply.int, wait > 0 else { return nil }
        return .milliseconds(wait)
    }

    /// The name's failures are forgotten: who signs in has the right password.
    package func succeed(_ attempt: SignInAttempt) async throws {
        _ = try await client.evaluate(AccountScripts.endSignIn, keys: failures(attempt), arguments: ["succeeded"])
    }

    /// The password was not compared after all.
    package func undo(_ attempt: SignInAttempt) async throws {
        _ = try await client.evaluate(AccountScripts.endSignIn, keys: failures(attempt), arguments: ["undone"])
    }

    /// Forgets the failures of a name, whatever the address, so that its user may try again at once.
    ///
    /// - Parameter nameDigest: of the same secret the failures were counted with.
    package func unlock(_ id: UserID, nameDigest: String, by author: Author) async throws {
        let entry = try AuditCodec.arguments(author.entry(.userUnlocked, user: id))
        _ = try await client.evaluate(
            AccountScripts.unlock, keys: [keys.failures("name", nameDigest), keys.audit],
            arguments: [AuditCodec.maxEntries] + entry)
    }

    private func failures(_ attempt: SignInAttempt) -> [String] {
        [keys.failures("name", attempt.nameDigest), keys.failures("address", attempt.network)]
    }
}
