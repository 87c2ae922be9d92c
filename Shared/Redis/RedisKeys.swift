/// Every key name of the system. Braces are Redis Cluster's hash tags: what one script touches shares one.
package struct RedisKeys: Sendable {
    /// Begins every key but those of the event streams.
    package let prefix: String
    /// Begins the keys of the event streams.
    package let streamPrefix: String

    /// - Parameter streamPrefix: `<prefix>:events` when nil.
    package init(prefix: String = "zhiyue", streamPrefix: String? = nil) {
        self.prefix = prefix
        self.streamPrefix = streamPrefix ?? "\(prefix):events"
    }

    // MARK: Partitions

    /// Stream of the partition's events.
    package func events(_ partition: Int) -> String {
        "\(streamPrefix):{p\(partition)}"
    }

    /// Stream of the partition's dead letters.
    package func dead(_ partition: Int) -> String {
        "\(prefix):dead:{p\(partition)}"
    }

    /// Which replica owns the partition for a group: a lease with a fencing token.
    package func owner(_ partition: Int, group: String) -> String {
        "\(prefix):{p\(partition)}:owner:\(group)"
    }

    /// Anything else of the partition: `exam:<id>`, `sheet:<id>`, `exam:<id>:sheets`, …
    package func record(_ partition: Int, _ name: String) -> String {
        "\(prefix):{p\(partition)}:\(name)"
    }

    /// Sorted set of a group's live replicas by the time of their last heartbeat.
    package func groupMembers(_ group: String) -> String {
        "\(prefix):group:\(group):members"
    }

    // MARK: Queues

    /// A key of the queue of a task type: `ready:high`, `task:<id>`, `leases`, `wake`, …
    package func queue(_ type: String, _ name: String) -> String {
        "\(prefix):{q:\(type)}:\(name)"
    }

    // MARK: The system as a whole

    /// A key of no partition and no queue, alone in its script: `partitions`, `user:<id>`, …
    package func global(_ name: String) -> String {
        "\(prefix):\(name)"
    }
}
