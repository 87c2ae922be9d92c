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
    }

    package var partition: Int
    /// Events in the stream.
    package var length: Int
    package var deadLetters: Int
    package var groups: [Group]
}
