package import Domain
internal import Synchronization

/// What a worker tells of its tasks of one type with every heartbeat; forgotten a minute after the last.
package struct WorkerReport: Codable, Sendable, Equatable {
    package var name: String
    /// Tasks it may run at the same time, of all types together.
    package var places: Int
    package var running: Int
    /// Since the worker began, here and below: runs that ended with a result.
    package var completed = 0
    /// Runs that ended with an error.
    package var failed = 0
    /// Time spent in runs that ended, added up, in seconds.
    package var busySeconds = 0.0
    package var since: Timestamp

    enum CodingKeys: String, CodingKey {
        case name, places, running, completed, failed, since
        case busySeconds = "busy_seconds"
    }
}

/// What a worker has done.
final class WorkerStatistics: Sendable {
    private struct Counts {
        var completed = 0
        var failed = 0
        var busy = Duration.zero
    }

    private let counts = Mutex<[TaskType: Counts]>([:])
    private let since = Timestamp.now

    func ended(_ type: TaskType, isCompleted: Bool, after time: Duration) {
        counts.withLock { counts in
            counts[type, default: Counts()].busy += time
            if isCompleted { counts[type]?.completed += 1 } else { counts[type]?.failed += 1 }
        }
    }

    func report(_ type: TaskType, worker: String, places: Int, running: Int) -> WorkerReport {
        let counts = counts.withLock { $0[type] ?? Counts() }
        return WorkerReport(
            name: worker, places: places, running: running, completed: counts.completed, failed: counts.failed,
            busySeconds: Double(counts.busy.milliseconds) / 1000, since: since)
    }
}
