package import Domain

/// The tasks of one type and priority at this moment. As JSON it is an entry of `queues` in `zhiyue status`.
package struct QueueStatistics: Codable, Sendable, Equatable {
    package var type: TaskType
    package var priority: TaskPriority
    package var ready: Int
    package var scheduled: Int
    package var running: Int
    /// Parents that wait for their children.
    package var waiting: Int
    package var dead: Int
    /// How long the first ready task waits; 0 when none does.
    package var oldestSeconds: Double
    package var isPaused: Bool

    enum CodingKeys: String, CodingKey {
        case type, priority, ready, scheduled, running, waiting, dead
        case oldestSeconds = "oldest_seconds"
        case isPaused = "paused"
    }
}
