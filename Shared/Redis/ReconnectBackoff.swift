/// How long to wait before trying to connect again: doubling, capped, and random, so that the replicas of a fleet do
/// not all come back in the same instant.
package struct ReconnectBackoff: Sendable {
    /// Upper end of the first wait.
    package var base: Duration
    /// Upper end of the longest wait.
    package var cap: Duration

    package init(base: Duration = .milliseconds(50), cap: Duration = .seconds(2)) {
        self.base = base
        self.cap = cap
    }

    /// - Parameter attempt: Failures in a row so far, from 1.
    /// - Returns: A random time between half and all of `base · 2^(attempt − 1)`, at most `cap`.
    package func delay(attempt: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        let doublings = min(max(attempt - 1, 0), 30)
        let ceiling = min(base * (1 << doublings), cap)
        return ceiling * Double.random(in: 0.5...1, using: &generator)
    }
}
