package import Domain
import Redis

extension TaskQueue {
    /// Entries of an outbox that are carried together.
    private static let carried = 500

    /// Carries what lies in the outbox of a queue: ends of tasks to their parents, and what befell parents to their children.
    /// Any number of workers may do so at any time; every word has its effect once.
    package func carry(_ type: TaskType) async throws {
        let outbox = keys.queue(type.rawValue, "outbox")
        while !Task.isCancelled {
            let reply = try await client.send(["XRANGE", outbox, "-", "+", "COUNT", Self.carried])
            guard let entries = reply.array else {
                throw TaskQueueError(.unexpectedReply, "the queue expected its outbox from Redis")
            }
            if entries.isEmpty { return }
            let words = entries.compactMap { Word(entry: $0) }
            let next = try await deliver(words, from: type)
            var removal: RedisCommand = ["XDEL", outbox]
            for entry in entries { removal.append(entry.array?.first?.string ?? "") }
            _ = try await client.send(removal)
            for type in next { try await carry(type) }
            if entries.count < Self.carried { return }
        }
    }

    /// - Returns: other queues that have to tell something in turn.
    private func deliver(_ words: [Word], from type: TaskType) async throws -> Set<TaskType> {
        var ends: [TaskType: [(parent: TaskID, child: String, state: TaskState?)]] = [:]
        var next: Set<TaskType> = []
        for word in words {
            switch word {
            case .ended(let child, let parent, let state):
                let reference = TaskReference(type: type, id: child)
                ends[parent.type, default: []].append((parent.id, reference.text, state))
            case .cancel(let parent):
                next.formUnion(try await cancelChildren(of: TaskReference(type: type, id: parent)))
            case .retry(let parent):
                try await retryChildren(of: TaskReference(type: type, id: parent))
            }
        }
        for (parentType, ends) in ends where try await fanIn(parentType, ends) > 0 { next.insert(parentType) }
        return next.subtracting([type])
    }

    /// - Returns: the types of those that were cancelled.
    private func cancelChildren(of parent: TaskReference) async throws -> Set<TaskType> {
        var types: Set<TaskType> = []
        try await forEachPageOfChildren(parent) { page in
            for case (let text, nil) in page {
                guard let child = TaskReference(text: text) else { continue }
                do {
                    try await cancel(type: child.type, id: child.id, carrying: false)
                    types.insert(child.type)
                } catch let error as TaskQueueError where error.code == .notFound || error.code == .wrongState {
                    // It has ended, or was never submitted.
                }
            }
        }
        return types
    }

    /// Children that failed or were cancelled run again. Those that count as open are looked at too, since an earlier try at
    /// this may have got that far.
    private func retryChildren(of parent: TaskReference) async throws {
        try await forEachPageOfChildren(parent) { page in
            let children = page.filter { $0.state != .completed && TaskReference(text: $0.child) != nil }
            _ = try await fanIn(parent.type, children.map { (parent.id, $0.child, nil) })
            for (text, _) in children {
                guard let child = TaskReference(text: text) else { continue }
                do {
                    try await retry(type: child.type, id: child.id, carrying: false)
                } catch let error as TaskQueueError where error.code == .notFound || error.code == .wrongState {
                    try await tellIfEnded(child, text, to: parent)
                }
            }
        }
        // What `retry.lua` counted until now.
        _ = try await fanIn(parent.type, [(parent.id, "*", .completed)])
    }

    /// What cannot run again has completed, or is gone: that counts as failed.
    private func tellIfEnded(_ child: TaskReference, _ text: String, to parent: TaskReference) async throws {
        let state = try await state(of: [child])[0] ?? .failed
        if state.isFinal { _ = try await fanIn(parent.type, [(parent.id, text, state)]) }
    }

    private func state(of tasks: [TaskReference]) async throws -> [TaskState?] {
        let replies = try await client.pipeline(
            tasks.map { ["HGET", keys.queue($0.type.rawValue, "task:\($0.id)"), "state"] })
        return try replies.map { reply in
            if let error = reply.error { throw RedisError(refused: error) }
            return reply.string.flatMap(TaskState.init)
        }
    }

    /// Looks whether children of a parent that has waited for a minute are still there: one that was lost with its server, or
    /// whose record somebody deleted, counts as failed, and one that ended unheard is heard.
    ///
    /// - Parameter age: how long ago somebody looked last.
    package func checkWaiting(_ type: TaskType, age: Duration = .seconds(60)) async throws {
        let waiting = keys.queue(type.rawValue, "waiting")
        guard let time = try await client.send(["TIME"]).array?.compactMap(\.int), time.count == 2 else {
            throw TaskQueueError(.unexpectedReply, "the queue expected the time from Redis")
        }
        let now = Int64(time[0]) * 1000 + Int64(time[1]) / 1000
        let found = try await client.send(
            ["ZRANGEBYSCORE", waiting, "-inf", now - age.milliseconds, "LIMIT", 0, 1])
        guard let id = found.array?.first?.string else { return }
        // First, so that the next worker looks at another one.
        _ = try await client.send(["ZADD", waiting, "XX", now, id])
        let parent = TaskReference(type: type, id: TaskID(id))
        try await forEachPageOfChildren(parent) { page in
            let open = page.filter { $0.state == nil }.compactMap { entry in
                TaskReference(text: entry.child).map { (text: entry.child, task: $0) }
            }
            guard !open.isEmpty else { return }
            let states = try await state(of: open.map(\.task))
            let ends = zip(open, states).map { (parent.id, $0.text, $1 ?? .failed) }.filter { $0.2.isFinal }
            if !ends.isEmpty { _ = try await fanIn(type, ends) }
        }
    }
}

/// An entry of an outbox.
private enum Word {
    case ended(child: TaskID, parent: TaskReference, state: TaskState)
    case cancel(TaskID)
    case retry(TaskID)

    /// - Returns: nil for what no script writes.
    init?(entry: RESPValue) {
        guard let parts = entry.array, parts.count == 2, let fields = parts[1].fields else { return nil }
        func text(_ name: String) -> String { fields.first { $0.name == name }?.value.string ?? "" }
        switch text("kind") {
        case "ended":
            guard let parent = TaskReference(text: text("of")), let state = TaskState(rawValue: text("state")) else {
                return nil
            }
            self = .ended(child: TaskID(text("child")), parent: parent, state: state)
        case "cancel": self = .cancel(TaskID(text("of")))
        case "retry": self = .retry(TaskID(text("of")))
        default: return nil
        }
    }
}
