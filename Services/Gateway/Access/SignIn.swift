import Access
import Domain
import ExamStore
import Logging
import NIOPosix

/// Checks user names and passwords. Hashing runs on the blocking threads, two at a time: each takes 32 MiB and a
/// quarter of a second of a core.
struct SignIn: Sendable {
    private let store: ExamStore
    private let cost: PasswordHash.Cost
    private let limit = ConcurrencyLimit(2, maxWaiting: 32)
    /// What a password is compared with when there is no such user, so that both take as long. No password matches it.
    private let decoy: PasswordHash?

    /// - Parameter cost: of new hashes; it should be the cost of the stored ones.
    init(store: ExamStore, cost: PasswordHash.Cost) {
        self.store = store
        self.cost = cost
        let zeros = String(repeating: "A", count: 43) + "="
        decoy = PasswordHash("scrypt$\(cost.rounds)$\(cost.blockSize)$\(cost.parallelism)$\(zeros)$\(zeros)")
    }

    /// - Returns: nil when there is no such user or the password is another.
    func user(_ id: UserID, password: String) async throws -> User? {
        let user = id.isValid ? try await store.user(id) : nil
        guard let hash = user.map({ PasswordHash($0.passwordHash) }) ?? decoy else { return nil }
        let matches = try await limit.run {
            try await NIOThreadPool.singleton.runIfActive { try hash.matches(password) }
        }
        return matches ? user : nil
    }

    /// Creates the first user, `admin`, unless there is one.
    func createAdministrator(password: String, logger: Logger) async throws {
        guard try await store.user("admin") == nil else { return }
        let hash = try await NIOThreadPool.singleton.runIfActive { [cost] in
            try PasswordHash(password: password, cost: cost)
        }
        let user = User(id: "admin", role: .admin, passwordHash: hash.text, createdAt: .now)
        if try await store.createUser(user) { logger.info("created the user admin") }
    }
}
