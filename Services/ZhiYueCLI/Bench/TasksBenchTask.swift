internal import Domain
internal import Synchronization
internal import TaskQueue

/// The bench's own kind of task.
struct TasksBenchTask: TaskPayload {
    static let type: TaskType = "bench"
    static let defaultPriority = TaskPriority.normal
    static let minimumBytes = 80

    let number: Int
    /// When it was due to be submitted: nanoseconds of the monotonic clock.
    let due: UInt64
    let text: String

    /// - Parameter bytes: Of the payload as JSON, about.
    init(_ number: Int, bytes: Int, due: UInt64 = 0) {
        self.number = number
        self.due = due
        let filling = [UInt8](repeating: UInt8(ascii: "x"), count: max(0, bytes - Self.minimumBytes + 20))
        text = String(decoding: filling, as: UTF8.self)
    }

    var taskID: TaskID { TaskID("\(number)") }
}

/// Remembers when each task was begun, and does nothing, or takes its time.
final class TasksBenchHandler: TaskHandler {
    struct Seen: Sendable {
        /// Nanoseconds from when each was due, or began to run.
        var nanoseconds: [UInt64] = []
        var runs: [Int: Int] = [:]
    }

    private let time: Duration
    private let isRecording: Bool
    private let seen = Mutex(Seen())

    init(taking time: Duration = .zero, isRecording: Bool = false) {
        self.time = time
        self.isRecording = isRecording
    }

    func run(_ task: TasksBenchTask, context: TaskContext) async throws -> TaskResult {
        if isRecording {
            let now = EventsBenchEvents.now()
            seen.withLock { seen in
                seen.nanoseconds.append(now &- task.due)
                seen.runs[task.number, default: 0] += 1
            }
        }
        if time > .zero { try await Task.sleep(for: time) }
        return TaskResult(json: Array("1".utf8))
    }

    /// What was recorded since the last call.
    func take() -> Seen {
        seen.withLock { seen in
            defer { seen = Seen() }
            return seen
        }
    }
}
