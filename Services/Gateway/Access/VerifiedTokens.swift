import Access
import Crypto
import Domain
import Synchronization

/// Remembers which tokens were verified, until they expire: the same token comes with every request of a client, and
/// its signature does not change. Knows tokens by their hashes alone.
///
/// Bounded: of those not seen for longest nothing is remembered. It tells that a token was signed here and is in time,
/// and nothing else: what can change meanwhile, such as a user's being locked, is to be asked each time.
final class VerifiedTokens: Sendable {
    private struct State {
        /// When it is full it becomes the older one, and what that held is forgotten.
        var recent: [SHA256.Digest: AccessClaims] = [:]
        var older: [SHA256.Digest: AccessClaims] = [:]
        /// The keys they were verified with.
        var keys = 0
    }

    private let capacity: Int
    private let now: @Sendable () -> Timestamp
    private let state = Mutex(State())

    /// - Parameters:
    ///   - capacity: how many tokens are remembered at least; twice as many at most.
    ///   - now: the clock, for tests.
    init(capacity: Int = 5_000, now: @escaping @Sendable () -> Timestamp = { .now }) {
        self.capacity = capacity
        self.now = now
    }

    /// - Parameters:
    ///   - keys: the generation of the keys that count now; with others nothing is remembered.
    ///   - verify: asked about a token that is not known, or has expired.
    func claims(
        of token: String, keys: Int = 0, verify: (String) async throws(TokenError) -> AccessClaims
    ) async throws(TokenError) -> AccessClaims {
        let digest = SHA256.hash(data: Array(token.utf8))
        let known = state.withLock { state -> AccessClaims? in
            if state.keys != keys { state = State(keys: keys) }
            return state.recent[digest] ?? state.older[digest].map { Self.remember($0, as: digest, capacity, &state) }
        }
        if let known, now() < known.expiresAt { return known }
        let claims = try await verify(token)
        return state.withLock { state in
            // Verified with keys that may not count any more.
            guard state.keys == keys else { return claims }
            return Self.remember(claims, as: digest, capacity, &state)
        }
    }

    private static func remember(
        _ claims: AccessClaims, as digest: SHA256.Digest, _ capacity: Int, _ state: inout State
    ) -> AccessClaims {
        if state.recent[digest] == nil && state.recent.count >= capacity {
            state.older = state.recent
            state.recent = [:]
        }
        state.recent[digest] = claims
        return claims
    }
}
