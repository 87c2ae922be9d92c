import Access
import NIOPosix

/// Hashes passwords on the blocking threads, two at a time: each takes 32 MiB and a quarter of a second of a core. Few
/// wait in turn and the rest are refused, so that no flood of sign-ins takes more.
struct PasswordWork: Sendable {
    /// Of new hashes; it should be the cost of the stored ones.
    let cost: PasswordHash.Cost
    private let limit = ConcurrencyLimit(2, maxWaiting: 32)

    init(cost: PasswordHash.Cost) {
        self.cost = cost
    }

    /// - Throws: `Problem` with 503 when too many wait.
    func hash(_ password: String) async throws -> PasswordHash {
        try await limit.run { [cost] in
            try await NIOThreadPool.singleton.runIfActive { try PasswordHash(password: password, cost: cost) }
        }
    }

    /// - Throws: `Problem` with 503 when too many wait.
    func matches(_ hash: PasswordHash, _ password: String) async throws -> Bool {
        try await limit.run {
            try await NIOThreadPool.singleton.runIfActive { try hash.matches(password) }
        }
    }
}
