package import Domain
import Redis

extension TaskQueue {
    /// What is known of a task, or nil when there is none, or its record has expired.
    package func task(type: TaskType, id: TaskID) async throws -> TaskRecord? {
        let reply = try await client.send(["HGETALL", keys.queue(type.rawValue, "task:\(id)")])
        return reply.fields.flatMap {
            TaskRecord(type: type, id: id, fields: $0, maxAttempts: configuration.maxAttempts)
        }
    }

    /// The tasks of one type: running, ready, scheduled, dead, then finished ones; of the last two the newest first.
    ///
    /// - Parameters:
    ///   - state: only those in that state; nil for all.
    ///   - examID: only those of that exam; nil for all.
    ///   - priority: only those of that priority; nil for all.
    ///   - cursor: `nextCursor` of the page before; nil for the first.
    ///   - limit: 1 to 1000.
    /// - Returns: a page that may be empty, when nothing of what was looked through is wanted, and yet have a next one.
    /// - Throws: `TaskQueueError` of code `.invalid` for a malformed cursor.
    package func tasks(
        type: TaskType, state: TaskState? = nil, examID: ExamID? = nil, priority: TaskPriority? = nil,
        cursor: String? = nil, limit: Int = 50
    ) async throws -> TaskPage {
        let limit = min(max(limit, 1), 1000)
        let collections = Self.collections(of: state).filter { name in
            priority.map { !name.hasPrefix("ready:") || name == "ready:\($0.rawValue)" } ?? true
        }
        var position = ""
        var index = 0
        if let cursor {
            let parts = cursor.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let found = collections.firstIndex(of: String(parts[0])),
                Self.isPosition(parts[1], collections[found])
            else { throw TaskQueueError(.invalid, "the cursor is not one of this list") }
            (index, position) = (found, String(parts[1]))
        }
        var items: [TaskRecord] = []
        // A page of records that are filtered out must not make a call without end.
        for _ in 0..<20 where items.count < limit {
            let page = try await entries(type, collections[index], position, limit - items.count)
            items += page.items.filter { task in
                (state == nil || task.state == state) && (examID == nil || task.examID == examID)
                    && (priority == nil || task.priority == priority)
            }
            if let next = page.nextCursor {
                position = next
            } else {
                (index, position) = (index + 1, "")
                if index == collections.count { return TaskPage(items: items, nextCursor: nil) }
            }
        }
        return TaskPage(items: items, nextCursor: "\(collections[index])@\(position)")
    }

    /// The tasks of one type by priority: high, normal, low.
    package func statistics(type: TaskType) async throws -> [QueueStatistics] {
        let reply = try await evaluate(scripts.statistics, type, [])
        let values = (reply.array ?? []).compactMap(\.int)
        guard values.count == 19 else {
            throw TaskQueueError(.unexpectedReply, "the queue expected its statistics from Redis")
        }
        return [TaskPriority.high, .normal, .low].enumerated().map { index, priority in
            let row = Array(values[(1 + index * 6)..<(7 + index * 6)])
            return QueueStatistics(
                type: type, priority: priority, ready: row[0], scheduled: row[1], running: row[2],
                waiting: row[3], dead: row[4], oldestSeconds: Double(row[5]) / 1000, isPaused: values[0] != 0)
        }
    }

    private func entries(
        _ type: TaskType, _ collection: String, _ position: String, _ limit: Int
    ) async throws -> TaskPage {
        let reply = try await evaluate(scripts.list, type, [collection, position, limit])
        guard let values = reply.array, values.count == 2, let next = values[0].string, let tasks = values[1].array
        else { throw TaskQueueError(.unexpectedReply, "the queue expected a page of tasks from Redis") }
        let items = tasks.compactMap { entry -> TaskRecord? in
            guard let entry = entry.array, entry.count == 2, let id = entry[0].string, let fields = entry[1].fields
            else { return nil }
            return TaskRecord(
                type: type, id: TaskID(id), fields: fields, maxAttempts: configuration.maxAttempts)
        }
        // A ready list may hold entries of tasks that were cancelled since; those are shown among the finished.
        return TaskPage(
            items: collection.hasPrefix("ready:") || collection == "parked"
                ? items.filter { $0.state == .ready } : items,
            nextCursor: next.isEmpty ? nil : next)
    }

    private static func collections(of state: TaskState?) -> [String] {
        let ready = ["ready:high", "ready:normal", "ready:low", "parked"]
        return switch state {
        case nil: ["leases", "waiting"] + ready + ["scheduled", "dead", "finished"]
        case .ready: ready
        case .scheduled: ["scheduled"]
        case .running: ["leases"]
        case .waiting: ["waiting"]
        case .failed: ["dead"]
        case .completed, .cancelled: ["finished"]
        }
    }

    /// Whether `list.lua` takes `position` for a place in `collection`.
    private static func isPosition(_ position: Substring, _ collection: String) -> Bool {
        if position.isEmpty { return true }
        if collection.hasPrefix("ready:") { return Int(position).map { $0 >= 0 } ?? false }
        let parts = position.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        return parts.count == 2 && Int64(parts[0]).map { $0 >= 0 } ?? false
    }
}
