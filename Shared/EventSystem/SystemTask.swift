/// A kind of work of an embedding program. Its properties are the task's payload, as JSON.
public protocol SystemTask: Codable, Sendable {
    /// Its name and that of its queue: 1 to 64 letters, digits, `_` or `-`.
    static var taskType: String { get }
    /// The same for every submission of the same work, so that work submitted twice is done once: 1 to 200 letters,
    /// digits, `_`, `-`, `.` or `:`.
    var taskID: String { get }
    var examID: String? { get }
}

extension SystemTask {
    public var examID: String? { nil }
}

/// How urgent a task is. None starves.
public enum SystemTaskPriority: String, Sendable, CaseIterable {
    case high, normal, low
}

/// A task that was submitted.
public struct SubmittedTask: Sendable, Hashable {
    public let type: String
    public let id: String
    /// False when the same work had been submitted before: it is not done again.
    public let isNew: Bool
}

/// What became of a task.
public struct TaskOutcome: Sendable, Hashable {
    public enum State: String, Sendable, CaseIterable {
        case ready, scheduled, running, completed, failed, cancelled
    }

    public let state: State
    /// Runs begun.
    public let attempt: Int
    /// 0 to 1, as far as its handler has told.
    public let progress: Double?
    /// Why it failed, finally or last.
    public let error: String?
}

/// A run of a task, as a handler gets it. The same task may run again after a crash: what it does must be idempotent.
public struct TaskRun: Sendable {
    public let taskID: String
    public let examID: String?
    /// 1 for the first.
    public let attempt: Int
    public let correlationID: String
    let report: @Sendable (Double, String) async -> Void

    /// Tells how far the task is.
    ///
    /// - Parameter fraction: 0 to 1.
    public func progress(_ fraction: Double, _ message: String = "") async {
        await report(fraction, message)
    }
}
