package import Domain

/// What became of a submission.
package enum TaskSubmission: Sendable, Equatable {
    case created(TaskID)
    /// The task (or one with the same unique key) was there already, in whatever state. After a connection was lost
    /// this may be the very task the same call created on its first try.
    case existing(TaskID)

    package var taskID: TaskID {
        switch self {
        case .created(let id), .existing(let id): id
        }
    }

    package var isNew: Bool {
        switch self {
        case .created: true
        case .existing: false
        }
    }
}
