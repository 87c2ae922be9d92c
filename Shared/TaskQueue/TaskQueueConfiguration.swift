/// Times and bounds of the queues. All replicas of a system should agree on them.
package struct TaskQueueConfiguration: Sendable {
    /// How long a claim holds without a heartbeat. A killed worker's task runs again after this and `reapInterval`.
    package var lease: Duration = .seconds(10)
    /// How often every worker looks for leases that have run out.
    package var reapInterval: Duration = .seconds(2)
    /// Longest run of a task that sets no other.
    package var taskTimeout: Duration = .seconds(300)
    /// Further attempts after the first failed one.
    package var maxRetries = 3
    /// Pause before the first, second, … retry; the last one counts for all further ones.
    package var retryDelays: [Duration] = [.seconds(1), .seconds(2), .seconds(5), .seconds(10), .seconds(30)]
    /// Each pause is longer or shorter by up to this share of it, so that what failed together does not return together.
    package var retryJitter = 0.25
    /// Lost leases after which a task is not run again.
    package var maxStalls = 3
    /// How long the record of a completed or cancelled task is kept, and with it the memory that it must not run again.
    package var resultTTL: Duration = .seconds(86_400)
    /// Most tasks of one type that wait, ready or scheduled; beyond it `submit` throws `queueFull`.
    package var maxLength = 200_000
    /// Most records of completed and cancelled tasks per type; the oldest go first, even before `resultTTL`.
    package var maxFinished = 100_000
    /// Most dead tasks per type; the oldest go first.
    package var maxDead = 10_000
    package var maxPayloadBytes = 64 << 10
    package var maxResultBytes = 64 << 10
    /// How long running tasks may go on after a worker was told to stop.
    package var drainGrace: Duration = .seconds(20)
    /// How long a handler may take to end after it was cancelled, before its task is given up.
    package var stopGrace: Duration = .seconds(5)

    package init() {}

    /// Attempts of a task that sets no other number.
    package var maxAttempts: Int { maxRetries + 1 }

    /// Four beats a lease: three may be lost.
    var heartbeatInterval: Duration { lease / 4 }

    /// - Throws: `TaskQueueError` of code `.invalidConfiguration` that names the first value out of range.
    package func validate() throws(TaskQueueError) {
        func require(_ holds: Bool, _ message: String) throws(TaskQueueError) {
            if !holds { throw TaskQueueError(.invalidConfiguration, message) }
        }
        try require(lease >= .milliseconds(100), "the lease must be at least 100 ms")
        try require(reapInterval >= .milliseconds(10), "the reap interval must be at least 10 ms")
        try require(taskTimeout > .zero, "TASK_TIMEOUT must be positive")
        try require((0...1000).contains(maxRetries), "MAX_RETRIES must be from 0 to 1000")
        try require(!retryDelays.isEmpty, "RETRY_DELAY must hold at least one delay")
        try require(retryDelays.allSatisfy { $0 >= .zero }, "RETRY_DELAY must not be negative")
        try require((0...1).contains(retryJitter), "the jitter of retries must be from 0 to 1")
        try require(maxStalls >= 1, "the number of stalls must be at least 1")
        try require(resultTTL >= .milliseconds(1), "RESULT_TTL must be at least 1 ms")
        try require(maxLength >= 1 && maxFinished >= 1 && maxDead >= 1, "the bounds of the queue must be at least 1")
        try require(maxPayloadBytes >= 1 && maxResultBytes >= 1, "the bounds of payload and result must be at least 1")
        try require(drainGrace >= .zero && stopGrace >= .zero, "grace periods must not be negative")
    }
}

extension Duration {
    /// Rounded to the nearest millisecond.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + (attoseconds + 500_000_000_000_000) / 1_000_000_000_000_000
    }
}
