/// When a failed task runs again.
struct RetryPolicy: Sendable {
    let delays: [Duration]
    /// Each pause is longer or shorter by up to this share of it.
    let jitter: Double

    /// - Parameter attempt: the one that failed, 1 for the first.
    func delay(afterAttempt attempt: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        guard !delays.isEmpty else { return .zero }
        let pause = delays[min(max(attempt, 1), delays.count) - 1]
        return pause * Double.random(in: (1 - jitter)...(1 + jitter), using: &generator)
    }
}
