import Domain
import Synchronization
import TaskQueue

/// The queues of tasks as Prometheus reads them. Looked at every few seconds, not when somebody asks: whoever may read
/// `/metrics` cannot make Redis work, and a Redis that is away does not keep anybody waiting.
final class QueueGauges: Sendable {
    private let queue: TaskQueue
    private let state = Mutex("")

    init(queue: TaskQueue) {
        self.queue = queue
    }

    /// In the text format of Prometheus; what was seen last.
    var text: String { state.withLock { $0 } }

    func update() async throws {
        var statistics: [QueueStatistics] = []
        var metrics: [QueueMetrics] = []
        for task in TaskCatalog.all {
            statistics += try await queue.statistics(type: task.type)
            metrics.append(try await queue.metrics(type: task.type))
        }
        let lines = Self.gauges(statistics) + Self.counters(metrics) + Self.histograms(metrics)
        state.withLock { $0 = lines.joined(separator: "\n") + "\n" }
    }

    private static func gauges(_ statistics: [QueueStatistics]) -> [String] {
        var lines = ["# HELP tasks Tasks by type, priority and state.", "# TYPE tasks gauge"]
        for row in statistics {
            for (state, count) in [
                ("ready", row.ready), ("scheduled", row.scheduled), ("running", row.running), ("waiting", row.waiting),
                ("failed", row.dead),
            ] {
                lines.append("tasks{\(labels(row.type, row.priority.rawValue)),state=\"\(state)\"} \(count)")
            }
        }
        lines += [
            "# HELP tasks_oldest_seconds How long the first ready task waits.", "# TYPE tasks_oldest_seconds gauge",
        ]
        lines += statistics.map { "tasks_oldest_seconds{\(labels($0.type, $0.priority.rawValue))} \($0.oldestSeconds)" }
        lines += ["# HELP tasks_paused Whether no task of the type begins.", "# TYPE tasks_paused gauge"]
        lines += statistics.filter { $0.priority == .high }.map {
            "tasks_paused{type=\"\($0.type)\"} \($0.isPaused ? 1 : 0)"
        }
        return lines
    }

    private static func counters(_ metrics: [QueueMetrics]) -> [String] {
        var lines = ["# HELP tasks_total What happened to tasks.", "# TYPE tasks_total counter"]
        for queue in metrics {
            let total = queue.total
            for (what, count) in [
                ("submitted", total.submitted), ("completed", total.completed), ("failed", total.failed),
                ("cancelled", total.cancelled), ("retried", total.retried), ("stalled", total.stalled),
            ] {
                lines.append("tasks_total{type=\"\(queue.type)\",what=\"\(what)\"} \(count)")
            }
        }
        return lines
    }

    private static func histograms(_ metrics: [QueueMetrics]) -> [String] {
        histogram(
            "task_wait_seconds", "From ready to the begin of a run.", metrics.map { ($0.type, $0.waiting) })
            + histogram(
                "task_run_seconds", "From the begin of a run to its end.", metrics.map { ($0.type, $0.running) })
    }

    private static func histogram(
        _ name: String, _ help: String, _ queues: [(TaskType, [String: QueueMetrics.Histogram])]
    ) -> [String] {
        var lines = ["# HELP \(name) \(help)", "# TYPE \(name) histogram"]
        let bounds = QueueMetrics.Histogram.bounds.map { "\($0)" } + ["+Inf"]
        for (type, priorities) in queues {
            for (priority, histogram) in priorities.sorted(by: { $0.key < $1.key }) {
                var total = 0
                for (bound, count) in zip(bounds, histogram.buckets) {
                    total += count
                    lines.append("\(name)_bucket{\(labels(type, priority)),le=\"\(bound)\"} \(total)")
                }
                lines.append("\(name)_sum{\(labels(type, priority))} \(histogram.sum)")
                lines.append("\(name)_count{\(labels(type, priority))} \(total)")
            }
        }
        return lines
    }

    private static func labels(_ type: TaskType, _ priority: String) -> String {
        "type=\"\(type)\",priority=\"\(priority)\""
    }
}
