import Access
import Accounts
import Domain
import Logging

/// Checks user names and passwords.
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
    /// What a password is compared with when there is no such user, so that both take as long. No password matches it.
    private let decoy: PasswordHash?

    init(accounts: Accounts, passwords: PasswordWork) {
        self.accounts = accounts
        self.passwords = passwords
        let zeros = String(repeating: "A", count: 43) + "="
        let cost = passwords.cost
        decoy = PasswordHash("scrypt$\(cost.rounds)$\(cost.blockSize)$\(cost.parallelism)$\(zeros)$\(zeros)")
    }

    func check(_ id: UserID, password: String) async throws -> Outcome {
        let user = try await accounts.user(id)
        guard let hash = user.map({ PasswordHash($0.passwordHash) }) ?? decoy else {
            return .refused(.wrongPassword, isKnownUser: user != nil)
        }
        let matches = try await passwords.matches(hash, password)
        guard let user else { return .refused(.unknownUser, isKnownUser: false) }
        guard matches else { return .refused(.wrongPassword, isKnownUser: true) }
        guard !user.isDisabled else { return .refused(.disabled, isKnownUser: true) }
        return .accepted(user)
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
