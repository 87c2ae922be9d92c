import Access
import Accounts
import Domain
import Logging

/// Checks user names and passwords. Whatever is wrong, as much work is done and the same is said.
struct SignIn: Sendable {
    enum Outcome {
        case accepted(User)
        case refused(Reason, isKnownUser: Bool)
    }

    /// For the audit log alone: whoever signs in is told the same in all cases.
    enum Reason: String {
        case wrongPassword = "wrong password"
        case unknownUser = "unknown user"
        case disabled
    }

    let accounts: Accounts
    let passwords: PasswordWork
    let guarding: SignInGuard
    /// What a password is compared with when there is no such user, so that both take as long. No password matches it.
    private let decoy: PasswordHash?

    init(accounts: Accounts, passwords: PasswordWork, guarding: SignInGuard) {
        self.accounts = accounts
        self.passwords = passwords
        self.guarding = guarding
        let zeros = String(repeating: "A", count: 43) + "="
        let cost = passwords.cost
        decoy = PasswordHash("scrypt$\(cost.rounds)$\(cost.blockSize)$\(cost.parallelism)$\(zeros)$\(zeros)")
    }

    /// - Parameter address: of the other end.
    /// - Throws: `Problem` with 429 after too many failures, 503 when too many sign in at once.
    func check(_ id: UserID, password: String, from address: String?) async throws -> Outcome {
        try await guarding.attempt(id.rawValue, from: address) {
            let outcome = try await compare(id, password: password)
            if case .accepted = outcome { return (outcome, true) }
            return (outcome, false)
        }
    }

    private func compare(_ id: UserID, password: String) async throws -> Outcome {
        let user = try await accounts.user(id)
        guard let hash = user.map({ PasswordHash($0.passwordHash) }) ?? decoy else {
            return .refused(.wrongPassword, isKnownUser: user != nil)
        }
        let matches = try await passwords.matches(hash, password)
        guard let user else { return .refused(.unknownUser, isKnownUser: false) }
        guard matches else { return .refused(.wrongPassword, isKnownUser: true) }
        guard !user.isDisabled else { return .refused(.disabled, isKnownUser: true) }
        return .accepted(try await strengthened(user, hash, password))
    }

    /// A hash made when the cost was another one is made again while the password is known.
    private func strengthened(_ user: User, _ hash: PasswordHash, _ password: String) async throws -> User {
        guard hash.cost != passwords.cost else { return user }
        let new = try await passwords.hash(password)
        let source = Author(actor: nil, address: nil, source: "/zhiyue/gateway")
        // nil when somebody has changed the user meanwhile: then the next sign-in tries again.
        return try await accounts.rehash(user, as: new.text, by: source) ?? user
    }

    /// Creates the first user, `admin`, unless there is one.
    func createAdministrator(password: String, logger: Logger) async throws {
        guard try await accounts.user("admin") == nil else { return }
        let hash = try await passwords.hash(password)
        let user = User(id: "admin", role: .admin, passwordHash: hash.text, createdAt: .now)
        do {
            try await accounts.create(user, by: Author(actor: nil, address: nil, source: "/zhiyue/gateway"))
            logger.info("created the user admin")
        } catch let error as AccountsError where error.code == .userExists {
            // Another gateway was faster.
        }
    }
}
