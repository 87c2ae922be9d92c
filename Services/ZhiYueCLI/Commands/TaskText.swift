internal import Domain
internal import TaskQueue

/// Tasks as people read them.
enum TaskText {
    private static let columns = TextColumns(widths: [42, 18, 11, 9, 7, 25])

    static let header = columns.line(["ID", "TYPE", "STATE", "PRIORITY", "TRIES", "CREATED", "NOTE"])

    static func line(_ task: TaskRecord) -> String {
        columns.line([
            task.id.rawValue, task.type.rawValue, task.state.rawValue, task.priority.rawValue,
            "\(task.attempt)/\(task.maxAttempts)", task.createdAt.rfc3339, note(task),
        ])
    }

    private static func note(_ task: TaskRecord) -> String {
        let text =
            switch task.state {
            case .running: [progress(task), task.worker.map { "by \($0)" }].compactMap { $0 }.joined(separator: " ")
            case .waiting: "for its children, \(task.message ?? "")"
            case .scheduled: task.dueAt.map { "due \($0.rfc3339)" } ?? ""
            case .failed: task.error ?? ""
            case .ready, .completed, .cancelled: ""
            }
        return text.split(whereSeparator: \.isNewline).first.map { String($0) } ?? ""
    }

    /// What changes while a task runs, in a line.
    static func change(_ task: TaskRecord) -> String {
        [task.state.rawValue, "try \(task.attempt) of \(task.maxAttempts)", note(task)].filter { !$0.isEmpty }
            .joined(separator: ", ")
    }

    private static func progress(_ task: TaskRecord) -> String? {
        task.progress.map { "\(Int($0 * 100)) %" + (task.message.map { " \($0)" } ?? "") }
    }

    private static func children(_ children: TaskChildren) -> String {
        "\(children.total), of which \(children.open) open, \(children.failed) failed, \(children.cancelled) cancelled"
    }

    static func text(_ task: TaskRecord) throws -> String {
        let rows: [(String, String?)] = [
            ("id", task.id.rawValue), ("type", task.type.rawValue), ("state", task.state.rawValue),
            ("priority", task.priority.rawValue), ("attempt", "\(task.attempt) of \(task.maxAttempts)"),
            ("stalls", task.stalls > 0 ? "\(task.stalls)" : nil), ("exam", task.examID?.rawValue),
            ("correlation", task.correlationID.rawValue), ("created", task.createdAt.rfc3339),
            ("due", task.dueAt?.rfc3339), ("started", task.startedAt?.rfc3339),
            ("finished", task.finishedAt?.rfc3339), ("worker", task.worker), ("progress", progress(task)),
            ("children", task.children.map(children)),
            ("payload", try task.payload.map { try JSON.string($0) }),
            ("result", try task.result.map { try JSON.string($0) }), ("error", task.error),
        ]
        let width = 13
        let attempts = task.history.map { attempt in
            (
                "run \(attempt.attempt)",
                Optional("\(attempt.startedAt.rfc3339) by \(attempt.worker): \(attempt.error)")
            )
        }
        return (rows + attempts).compactMap { name, value in
            value.map { name + String(repeating: " ", count: width - name.count) + $0 }
        }.joined(separator: "\n")
    }
}

/// Queues as people read them.
enum QueueText {
    static func text(_ statistics: [QueueStatistics], _ metrics: QueueMetrics, _ limits: QueueLimits) -> String {
        var lines = ["\(metrics.type): \(text(limits))" + (statistics.contains(where: \.isPaused) ? ", paused" : "")]
        for row in statistics {
            lines.append(
                "  \(row.priority.rawValue): \(row.ready) ready, \(row.scheduled) scheduled, \(row.running) running, "
                    + (row.waiting > 0 ? "\(row.waiting) waiting for children, " : "")
                    + "\(row.dead) dead; the oldest waits \(tenths(row.oldestSeconds)) s; "
                    + "waited \(times(metrics.waiting[row.priority.rawValue])), "
                    + "ran \(times(metrics.running[row.priority.rawValue]))")
        }
        lines.append("  last minute: \(text(metrics.lastMinute)); ten minutes: \(text(metrics.lastTenMinutes))")
        lines += metrics.workers.map { worker in
            "  worker \(worker.name): \(worker.running) running, \(worker.places) places, \(worker.completed) completed, "
                + "\(worker.failed) failed, busy \(tenths(worker.busySeconds)) s"
        }
        return lines.joined(separator: "\n")
    }

    static func text(_ limits: QueueLimits) -> String {
        let parts = [
            limits.running.map { "at most \($0) at the same time" },
            limits.runningPerExam.map { "at most \($0) of an exam" },
        ].compactMap { $0 }
        return parts.isEmpty ? "no limit" : parts.joined(separator: ", ")
    }

    private static func text(_ counts: QueueMetrics.Counts) -> String {
        "\(counts.submitted) submitted, \(counts.completed) completed, \(counts.retried) retried, \(counts.failed) failed"
    }

    private static func times(_ histogram: QueueMetrics.Histogram?) -> String {
        guard let histogram, histogram.count > 0 else { return "-" }
        let bounds = [0.5, 0.95].map { histogram.quantile($0).map { "≤ \($0) s" } ?? "> 300 s" }
        return "p50 \(bounds[0]) p95 \(bounds[1])"
    }

    private static func tenths(_ seconds: Double) -> String {
        "\((seconds * 10).rounded() / 10)"
    }
}
