package import Domain
import Redis

extension TaskQueue {
    package enum Cancellation: Sendable, Equatable {
        /// It will not run.
        case cancelled
        /// It runs; its worker learns of it with the next heartbeat. It may still complete before.
        case requested
    }

    /// Cancels a task.
    ///
    /// - Throws: `TaskQueueError` of code `.notFound`, or `.wrongState` when the task has ended.
    @discardableResult
    package func cancel(type: TaskType, id: TaskID) async throws -> Cancellation {
        try await cancel(type: type, id: id, carrying: true)
    }

    /// - Parameter carrying: whether its parents and children hear of it at once; else a worker tells them later.
    @discardableResult
    func cancel(type: TaskType, id: TaskID, carrying: Bool) async throws -> Cancellation {
        switch try number(try await evaluate(scripts.cancel, type, limits + [id.rawValue])) {
        case 2:
            if carrying { try await carry(type) }
            return .cancelled
        case 1: return .requested
        case 0: throw TaskQueueError(.wrongState, "the task \(id) has ended already")
        default: throw TaskQueueError(.notFound, "there is no task \(id) of type \(type)")
        }
    }

    /// Lets a failed or cancelled task start afresh, with all its attempts.
    ///
    /// - Throws: `TaskQueueError` of code `.notFound`, or `.wrongState` when the task has not failed.
    package func retry(type: TaskType, id: TaskID) async throws {
        try await retry(type: type, id: id, carrying: true)
    }

    /// - Parameter carrying: whether its children hear of it at once; else a worker tells them later.
    func retry(type: TaskType, id: TaskID, carrying: Bool) async throws {
        switch try number(try await evaluate(scripts.retry, type, [id.rawValue])) {
        case 1: return
        case 2: if carrying { try await carry(type) }
        case 0: throw TaskQueueError(.wrongState, "the task \(id) has neither failed nor been cancelled")
        default: throw TaskQueueError(.notFound, "there is no task \(id) of type \(type)")
        }
    }

    /// Stops the claiming of tasks of a type, by all workers; those that run go on.
    ///
    /// - Returns: whether it was not paused before.
    @discardableResult
    package func pause(type: TaskType) async throws -> Bool {
        try number(try await evaluate(scripts.pause, type, [1])) == 1
    }

    /// - Returns: whether it was paused before.
    @discardableResult
    package func resume(type: TaskType) async throws -> Bool {
        try number(try await evaluate(scripts.pause, type, [0])) == 1
    }

    /// Sets the limits of a type for all workers; tasks that run already go on. A limit of an exam counts the tasks that
    /// begin after it was set.
    ///
    /// - Throws: `TaskQueueError` of code `.invalid` for a limit below 1.
    package func setLimits(_ limits: QueueLimits, type: TaskType) async throws {
        guard (limits.running ?? 1) >= 1, (limits.runningPerExam ?? 1) >= 1 else {
            throw TaskQueueError(.invalid, "a limit is at least 1; to stop a queue, pause it")
        }
        _ = try await evaluate(
            scripts.limit, type, [limits.running.map(String.init) ?? "", limits.runningPerExam.map(String.init) ?? ""])
    }

    package func limits(type: TaskType) async throws -> QueueLimits {
        let reply = try await client.send(["HMGET", keys.queue(type.rawValue, "control"), "limit", "exam_limit"])
        guard let values = reply.array, values.count == 2 else {
            throw TaskQueueError(.unexpectedReply, "the queue expected its limits from Redis")
        }
        return QueueLimits(running: values[0].int, runningPerExam: values[1].int)
    }

    /// Removes dead tasks for good: the one with `id`, or all.
    ///
    /// - Returns: how many.
    @discardableResult
    package func purgeDead(type: TaskType, id: TaskID? = nil) async throws -> Int {
        if let id { return try number(try await evaluate(scripts.purge, type, [id.rawValue, 1])) }
        var purged = 0
        while true {
            let count = try number(try await evaluate(scripts.purge, type, ["", 500]))
            purged += count
            if count < 500 { return purged }
        }
    }
}
