import Access
import Audit
import Domain
import ExamStore
import Logging
import NIOPosix

/// Checks user names and passwords. Hashing runs on the blocking threads, two at a time: each takes 32 MiB and a
/// quarter of a second of a core.
struct SignIn: Sendable {
    enum Outcome {
        case accepted(User)
        case refused(isKnownUser: Bool)
    }

    private let store: ExamStore
    private let audit: AuditLog
    private let cost: PasswordHash.Cost
    private let limit = ConcurrencyLimit(2, maxWaiting: 32)
    /// What a password is compared with when there is no such user, so that both take as long. No password matches it.
    private let decoy: PasswordHash?

    /// - Parameter cost: of new hashes; it should be the cost of the stored ones.
    init(store: ExamStore, audit: AuditLog, cost: PasswordHash.Cost) {
        self.store = store
        self.audit = audit
        self.cost = cost
        let zeros = String(repeating: "A", count: 43) + "="
        decoy = PasswordHash("scrypt$\(cost.rounds)$\(cost.blockSize)$\(cost.parallelism)$\(zeros)$\(zeros)")
    }

    func check(_ id: UserID, password: String) async throws -> Outcome {
        let user = id.isValid ? try await store.user(id) : nil
        let refused = Outcome.refused(isKnownUser: user != nil)
        guard let hash = user.map({ PasswordHash($0.passwordHash) }) ?? decoy else { return refused }
        let matches = try await limit.run {
            try await NIOThreadPool.singleton.runIfActive { try hash.matches(password) }
        }
        guard matches, let user else { return refused }
        return .accepted(user)
    }

    /// Creates the first user, `admin`, unless there is one.
    func createAdministrator(password: String, logger: Logger) async throws {
        guard try await store.user("admin") == nil else { return }
        let hash = try await NIOThreadPool.singleton.runIfActive { [cost] in
            try PasswordHash(password: password, cost: cost)
        }
        let user = User(id: "admin", role: .admin, passwordHash: hash.text, createdAt: .now)
        guard try await store.createUser(user) else { return }
        logger.info("created the user admin")
        try await audit.append(
            AuditEntry(
                .userCreated, actor: nil, source: "/zhiyue/gateway", subject: "user/admin", details: ["role": "admin"]))
    }
}
