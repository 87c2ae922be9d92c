/// The event streams and the queues at this moment.
public struct SystemStatus: Sendable, Codable, Equatable {
    public struct Partition: Sendable, Codable, Equatable {
        public var partition: Int
        /// Events in the stream.
        public var length: Int
        public var deadLetters: Int
        public var groups: [Group]
    }

    public struct Group: Sendable, Codable, Equatable {
        public var group: String
        /// The replica that handles the partition for the group; nil for none.
        public var owner: String?
        /// Events the group has not handled yet.
        public var lag: Int
    }

    /// The tasks of a type and priority.
    public struct Queue: Sendable, Codable, Equatable {
        public var type: String
        public var priority: String
        public var ready: Int
        public var scheduled: Int
        public var running: Int
        public var failed: Int
    }

    public var partitions: [Partition]
    /// Of the system's own types of tasks, and of those the program handles.
    public var queues: [Queue]
}

/// Whether the system can work.
public struct HealthReport: Sendable, Equatable {
    public var isHealthy: Bool { problems.isEmpty }
    /// What is wrong, for people.
    public var problems: [String]
    /// Time of a round trip to Redis; nil when there was none.
    public var roundTrip: Duration?
    /// Partitions this program handles now.
    public var ownedPartitions: [Int]
}
