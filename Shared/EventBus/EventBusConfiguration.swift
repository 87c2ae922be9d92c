/// How a bus and its subscribers behave.
///
/// A killed replica's partitions move within `leaseDuration` + 2 × `heartbeat` (3 s with the defaults): it counts as
/// gone `leaseDuration` after its last beat, and the others look at every beat of their own.
package struct EventBusConfiguration: Sendable {
    /// `EVENT_PARTITIONS`, 1 to 1024. Fixed at the first start of a system.
    package var partitions = 8
    /// Repetitions of a failing handler before the event becomes a dead letter, 0 or more (`MAX_RETRIES`).
    package var maxRetries = 3
    /// The pause before each repetition; the last one counts for all further ones. A tenth more or less by chance.
    package var retryDelays: [Duration] = [.seconds(1), .seconds(2), .seconds(5), .seconds(10), .seconds(30)]
    /// How long a replica counts as live after its last beat, and how long it trusts its own ownership.
    package var leaseDuration: Duration = .seconds(2)
    /// Time between beats. Each is one write per group and replica, and a read per partition.
    package var heartbeat: Duration = .milliseconds(500)
    /// How long the owner key outlives its last renewal. Longer than `leaseDuration`, since whether an owner lives is
    /// told by its beats; it only clears what a group that is used no more leaves behind.
    package var ownerKeyLifetime: Duration = .seconds(60)
    /// Exams a replica handles at once, 1 or more (`MAX_WORKERS`).
    package var maxConcurrentExams = 32
    /// Entries of one partition per read, 1 or more.
    package var batchSize = 128
    /// Entries a replica may have read and not yet acknowledged; reading pauses beyond it, after at most two more
    /// batches of each partition. An exam that waits for its next try keeps its entries here.
    package var maxBufferedEvents = 8192
    /// The longest a read waits for new events. Only bounds what a lost wake-up can cost.
    package var blockDuration: Duration = .seconds(10)
    /// Events younger than this are never trimmed (`EVENT_RETENTION`).
    package var retention: Duration = .seconds(30 * 24 * 3600)
    /// Greatest length of a partition's stream; the oldest events beyond it go even if a group still needs them.
    package var maxLength = 2_000_000
    /// Greatest number of dead letters of a partition; the oldest beyond it go.
    package var maxDeadLetters = 100_000
    /// Data of more bytes is compressed (`EVENT_COMPRESS_BYTES`), 0 or more.
    package var compressAbove = EventCodec.compressAbove
    /// How long a group without a live replica keeps events from being trimmed (`EVENT_GROUP_TTL`).
    package var groupLifetime: Duration = .seconds(7 * 24 * 3600)
    /// How long a deduplication key is remembered.
    package var deduplicationWindow: Duration = .seconds(24 * 3600)

    package init() {}

    /// - Throws: `EventBusError` that says which value is wrong.
    package func validate() throws(EventBusError) {
        try require((1...1024).contains(partitions), "EVENT_PARTITIONS must be 1 to 1024, not \(partitions)")
        try require(maxRetries >= 0, "MAX_RETRIES must not be negative, is \(maxRetries)")
        try require(retryDelays.allSatisfy { $0 >= .zero }, "RETRY_DELAY must not be negative")
        try require(heartbeat > .zero, "the event heartbeat must be longer than zero")
        try require(leaseDuration >= heartbeat * 3, "the event lease must last at least three heartbeats")
        try require(ownerKeyLifetime >= leaseDuration * 2, "an owner key must outlive two leases")
        try require(maxConcurrentExams >= 1, "MAX_WORKERS must be at least 1, not \(maxConcurrentExams)")
        try require((1...4096).contains(batchSize), "the event batch size must be 1 to 4096, not \(batchSize)")
        try require(maxBufferedEvents >= batchSize, "the event buffer must hold at least one batch of \(batchSize)")
        try require(retention >= .zero, "EVENT_RETENTION must not be negative")
        try require(compressAbove >= 0, "EVENT_COMPRESS_BYTES must not be negative, is \(compressAbove)")
        try require(groupLifetime >= ownerKeyLifetime, "EVENT_GROUP_TTL must be at least a minute")
        try require(maxLength >= 1, "the greatest stream length must be at least 1, not \(maxLength)")
    }

    private func require(_ condition: Bool, _ message: String) throws(EventBusError) {
        guard condition else { throw EventBusError(.invalidArgument, message) }
    }
}

extension Duration {
    /// Whole milliseconds, rounded down.
    var milliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
