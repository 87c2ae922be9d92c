/// Where a task is in its life.
package enum TaskState: String, Codable, Sendable, CaseIterable {
    /// Waits for a worker.
    case ready
    /// Waits for its time: submitted with a delay, or failed and to be tried again.
    case scheduled
    case running
    /// Its own part is done; it ends with the last of its children.
    case waiting
    case completed
    /// Dead: out of attempts, or failed in a way that no attempt can mend. Stays until retried or purged.
    case failed
    case cancelled

    /// Whether nothing more becomes of it by itself.
    package var isFinal: Bool {
        switch self {
        case .ready, .scheduled, .running, .waiting: false
        case .completed, .failed, .cancelled: true
        }
    }
}
