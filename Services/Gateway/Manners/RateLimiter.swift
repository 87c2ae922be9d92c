import Synchronization

/// Counts requests by whoever makes them: a bucket of tokens each, which fills up again evenly.
///
/// Bounded: of those not seen for longest nothing is remembered, which is what a full bucket means anyway.
final class RateLimiter: Sendable {
    /// What remains to one client.
    struct Verdict: Equatable, Sendable {
        let isAllowed: Bool
        /// Requests that may follow at once.
        let remaining: Int
        /// Whole seconds until one more may.
        let wait: Int
    }

    private struct Bucket {
        var tokens: Double
        var time: ContinuousClock.Instant
    }

    private struct State {
        /// When it is full it becomes the older one, and what that held is forgotten.
        var recent: [String: Bucket] = [:]
        var older: [String: Bucket] = [:]
    }

    /// Seconds in which a bucket fills up.
    static let window = 60

    /// Requests in a window.
    let quota: Int
    private let maxClients: Int
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state = Mutex(State())

    /// - Parameters:
    ///   - quota: requests a minute; they may come all at once.
    ///   - maxClients: of how many clients at least is remembered what they did; of twice as many at most.
    ///   - now: the clock, for tests.
    init(quota: Int, maxClients: Int = 10_000, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.quota = quota
        self.maxClients = maxClients
        self.now = now
    }

    /// Counts a request of `client`.
    func count(_ client: String) -> Verdict {
        let (now, quota) = (now(), Double(quota))
        let rate = quota / Double(Self.window)
        return state.withLock { state in
            var bucket =
                state.recent[client] ?? state.older.removeValue(forKey: client) ?? Bucket(tokens: quota, time: now)
            let (seconds, attoseconds) = (now - bucket.time).components
            bucket.tokens = min(quota, bucket.tokens + (Double(seconds) + Double(attoseconds) / 1e18) * rate)
            bucket.time = now
            let isAllowed = bucket.tokens >= 1
            if isAllowed { bucket.tokens -= 1 }
            if state.recent[client] == nil && state.recent.count >= maxClients {
                state.older = state.recent
                state.recent = [:]
            }
            state.recent[client] = bucket
            let missing = max(0, 1 - bucket.tokens)
            return Verdict(
                isAllowed: isAllowed, remaining: Int(bucket.tokens), wait: Int((missing / rate).rounded(.up)))
        }
    }
}
