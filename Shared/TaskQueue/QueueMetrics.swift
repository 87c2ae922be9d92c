package import Domain
import Redis

/// What the queue of one type has done, as `GET /api/queues` and `/metrics` show it.
package struct QueueMetrics: Codable, Sendable, Equatable {
    /// How long something took, for tasks of one priority.
    package struct Histogram: Codable, Sendable, Equatable {
        /// Upper bounds of all buckets but the last, which has none, in seconds.
        package static let bounds: [Double] = [
            0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300,
        ]

        /// Tasks in each bucket, one more than `bounds`.
        package var buckets: [Int]
        /// Of all tasks, in seconds.
        package var sum: Double

        package var count: Int { buckets.reduce(0, +) }

        /// An upper bound of the time that `fraction` (0 to 1) of the tasks stayed under, in seconds; nil when there is
        /// none.
        package func quantile(_ fraction: Double) -> Double? {
            var rest = Int((Double(count) * fraction).rounded(.up))
            guard rest > 0 else { return nil }
            for (bound, bucket) in zip(Self.bounds, buckets) {
                rest -= bucket
                if rest <= 0 { return bound }
            }
            return nil
        }
    }

    /// How many tasks each thing happened to.
    package struct Counts: Codable, Sendable, Equatable {
        package var submitted = 0
        package var completed = 0
        package var failed = 0
        package var cancelled = 0
        /// Runs that failed and are followed by another.
        package var retried = 0
        /// Runs that lost their worker.
        package var stalled = 0
    }

    package var type: TaskType
    package var total: Counts
    package var lastMinute: Counts
    package var lastTenMinutes: Counts
    /// From ready to the begin of a run, by priority.
    package var waiting: [String: Histogram]
    /// From the begin of a run to its end, by priority.
    package var running: [String: Histogram]
    /// Workers heard of in the last minute.
    package var workers: [WorkerReport]

    enum CodingKeys: String, CodingKey {
        case type, total, waiting, running, workers
        case lastMinute = "last_minute"
        case lastTenMinutes = "last_ten_minutes"
    }
}

extension TaskQueue {
    /// What the queue of a type has done since it exists, lately, and who works on it.
    package func metrics(type: TaskType) async throws -> QueueMetrics {
        let reply = try await evaluate(scripts.metrics, type, [])
        guard let parts = reply.array, parts.count == 4, let counters = parts[0].fields, let minute = parts[1].fields,
            let ten = parts[2].fields, let reports = parts[3].array
        else { throw TaskQueueError(.unexpectedReply, "the queue expected its metrics from Redis") }
        let total = Self.numbers(counters)
        func histograms(_ what: String) -> [String: QueueMetrics.Histogram] {
            Dictionary(
                uniqueKeysWithValues: TaskPriority.allCases.map { priority in
                    let name = "\(what):\(priority.rawValue)"
                    return (
                        priority.rawValue,
                        QueueMetrics.Histogram(
                            buckets: (1...QueueMetrics.Histogram.bounds.count + 1).map { total["\(name):\($0)"] ?? 0 },
                            sum: Double(total["\(name):sum"] ?? 0) / 1000)
                    )
                })
        }
        return QueueMetrics(
            type: type, total: Self.counts(total), lastMinute: Self.counts(Self.numbers(minute)),
            lastTenMinutes: Self.counts(Self.numbers(ten)), waiting: histograms("wait"), running: histograms("run"),
            workers: reports.compactMap { report in
                report.bytes.flatMap { try? JSON.decode(WorkerReport.self, from: $0) }
            }.sorted { $0.name < $1.name })
    }

    private static func numbers(_ fields: [(name: String, value: RESPValue)]) -> [String: Int] {
        Dictionary(fields.map { ($0.name, $0.value.int ?? 0) }, uniquingKeysWith: { first, _ in first })
    }

    private static func counts(_ numbers: [String: Int]) -> QueueMetrics.Counts {
        QueueMetrics.Counts(
            submitted: numbers["submitted"] ?? 0, completed: numbers["completed"] ?? 0,
            failed: numbers["failed"] ?? 0, cancelled: numbers["cancelled"] ?? 0, retried: numbers["retried"] ?? 0,
            stalled: numbers["stalled"] ?? 0)
    }
}
