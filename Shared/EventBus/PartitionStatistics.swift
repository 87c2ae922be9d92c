/// The state of a partition, for `zhiyue status`.
package struct PartitionStatistics: Sendable, Equatable {
    package struct Group: Sendable, Equatable {
        package var group: String
        /// The replica that owns the partition, or nil.
        package var owner: String?
        /// Events the group has not acknowledged: not yet read, or being handled.
        package var lag: Int
        /// Age of the oldest of them, in seconds; nil when there is none.
        package var oldestPendingSeconds: Double?
        /// Events that were trimmed before the group had handled them, since the group began.
        package var lost: Int
        /// How long the group still keeps what it needs from being trimmed, in seconds, negative when it is forgotten;
        /// nil when that is not known yet.
        package var liveSeconds: Double?
    }

    package var partition: Int
    /// Events in the stream.
    package var length: Int
    package var deadLetters: Int
    /// Memory of the events and of their large data in Redis, in bytes.
    package var memory: Int
    /// nil when there is no event.
    package var memoryPerEvent: Double? { length > 0 ? Double(memory) / Double(length) : nil }
    package var groups: [Group]
}
