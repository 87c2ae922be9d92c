package import Domain

/// A task that carries what is to happen to it.
package struct CountedTask: TaskPayload {
    package static let type: TaskType = "chaos"
    package static let defaultPriority = TaskPriority.normal

    /// Where the first run waits until the test opens its gate. It then goes on whatever happens, cancelled or not.
    package enum Hold: String, Codable, Sendable, CaseIterable {
        case beforeEffect
        case afterEffect
    }

    package var id: TaskID
    /// Attempts that fail before one succeeds; nil when none ever does.
    package var failures: Int?
    /// Whether an attempt that fails does so only after its effect.
    package var failsLate = false
    /// How long a run takes, in milliseconds.
    package var work = 0
    package var hold: Hold?

    package init(id: TaskID, failures: Int? = 0) {
        self.id = id
        self.failures = failures
    }

    package var taskID: TaskID { id }
}
