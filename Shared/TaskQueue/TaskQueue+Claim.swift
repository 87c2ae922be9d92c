package import Domain
import Redis

/// What a claim brought.
package struct TaskClaims: Sendable {
    package var tasks: [TaskClaim]
    /// How long until the next scheduled task is due; nil when none is scheduled.
    package var nextDue: Duration?
}

/// How one run of a task ended that did not succeed.
package enum TaskFailureMode: Sendable, Equatable {
    case retry(after: Duration)
    /// As `retry`, but the run was no attempt: Redis, not the task, failed.
    case postpone(after: Duration)
    /// Comes back after that time, but only for its handler to learn that it failed finally.
    case condemn(after: Duration)
    case bury
    case cancelled
}

/// What a worker learns about a task from a heartbeat.
package enum HeartbeatAnswer: Int, Sendable {
    case goOn = 0
    /// Another worker has the task, or may have.
    case lost
    case cancel
}

/// The worker's side of the protocol. `TaskWorker` speaks it; others need it for tests and tools only.
extension TaskQueue {
    /// Takes up to `count` tasks, each under a lease.
    package func claim(_ type: TaskType, count: Int, worker: String) async throws -> TaskClaims {
        let reply = try await evaluate(
            scripts.claim, type, [count, configuration.lease.milliseconds, worker])
        guard let values = reply.array, values.count == 2, let due = values[0].int, let tasks = values[1].array else {
            throw TaskQueueError(.unexpectedReply, "the queue expected claims from Redis")
        }
        let claims = tasks.compactMap { TaskClaim(type: type, reply: $0) }
        guard claims.count == tasks.count else {
            throw TaskQueueError(.unexpectedReply, "a claim of type \(type) is malformed")
        }
        return TaskClaims(tasks: claims, nextDue: due < 0 ? nil : .milliseconds(due))
    }

    /// One task's heartbeat.
    package struct Beat: Sendable {
        package var id: TaskID
        package var fence: Int64
        /// From 0 to 1, with a sentence for people; nil when there is no news.
        package var progress: (fraction: Double, message: String)?

        package init(id: TaskID, fence: Int64, progress: (fraction: Double, message: String)? = nil) {
            self.id = id
            self.fence = fence
            self.progress = progress
        }
    }

    /// Extends the leases of running tasks.
    ///
    /// - Parameter report: What the worker tells of itself; nil when only tasks are reported.
    /// - Returns: an answer for each beat.
    package func heartbeat(
        _ type: TaskType, _ beats: [Beat], report: WorkerReport? = nil
    ) async throws -> [HeartbeatAnswer] {
        var arguments: [any RedisArgument] = [configuration.lease.milliseconds]
        arguments += [report?.name ?? "", try report.map { try JSON.encode($0) } ?? []] as [any RedisArgument]
        for beat in beats {
            arguments += [beat.id.rawValue, beat.fence] as [any RedisArgument]
            arguments.append(beat.progress.map { String($0.fraction) } ?? "")
            arguments.append(beat.progress?.message ?? "")
        }
        let reply = try await evaluate(scripts.heartbeat, type, arguments)
        let answers = (reply.array ?? []).compactMap { $0.int.flatMap(HeartbeatAnswer.init) }
        guard answers.count == beats.count else {
            throw TaskQueueError(.unexpectedReply, "the queue expected an answer for every heartbeat")
        }
        return answers
    }

    /// A task that is done.
    struct Completion: Sendable {
        let id: TaskID
        let fence: Int64
        /// JSON, or empty.
        let result: [UInt8]

        init(_ claim: TaskClaim, result: [UInt8]) {
            id = claim.id
            fence = claim.fence
            self.result = result
        }
    }

    /// Ends a task with its result (JSON, or empty). May be repeated when the reply was lost.
    ///
    /// - Returns: false when the claim is no longer the task's: the result is not recorded.
    package func complete(_ claim: TaskClaim, result: [UInt8]) async throws -> Bool {
        try await complete(claim.type, [Completion(claim, result: result)])[0] != .refused
    }

    /// What the queue said to the report of a run's end.
    enum ReportAnswer: Int, Sendable {
        /// The claim is no longer the task's: nothing is recorded.
        case refused = 0
        case recorded
        /// Recorded, and others are to be told: `carry`.
        case recordedWithNews
    }

    /// Ends tasks of one type, as `complete(_:result:)`.
    ///
    /// - Returns: an answer for each.
    /// - Throws: `TaskQueueError` of code `.resultTooLarge`, when none is ended.
    func complete(_ type: TaskType, _ completions: [Completion]) async throws -> [ReportAnswer] {
        var arguments = limits
        for completion in completions {
            guard completion.result.count <= configuration.maxResultBytes else {
                throw TaskQueueError(
                    .resultTooLarge,
                    "the result has \(completion.result.count) bytes; at most \(configuration.maxResultBytes) are allowed"
                )
            }
            arguments += [completion.id.rawValue, completion.fence, completion.result] as [any RedisArgument]
        }
        let reply = try await evaluate(scripts.complete, type, arguments)
        let answers = (reply.array ?? []).compactMap { $0.int.flatMap(ReportAnswer.init) }
        guard answers.count == completions.count else {
            throw TaskQueueError(.unexpectedReply, "the queue expected an answer for every completed task")
        }
        return answers
    }

    /// Ends one run without success. May be repeated when the reply was lost.
    ///
    /// - Parameter error: For people; secrets and paths are taken out of it.
    /// - Returns: false when the claim is no longer the task's.
    package func fail(_ claim: TaskClaim, error: String, mode: TaskFailureMode) async throws -> Bool {
        try await reportFailure(claim, error: error, mode: mode) != .refused
    }

    func reportFailure(_ claim: TaskClaim, error: String, mode: TaskFailureMode) async throws -> ReportAnswer {
        let (name, delay): (String, Duration) =
            switch mode {
            case .retry(let delay): ("retry", delay)
            case .postpone(let delay): ("postpone", delay)
            case .condemn(let delay): ("condemn", delay)
            case .bury: ("bury", .zero)
            case .cancelled: ("cancelled", .zero)
            }
        let reply = try await evaluate(
            scripts.fail, claim.type,
            limits + [
                claim.id.rawValue, claim.fence, ErrorText.cleaned(error), name, delay.milliseconds,
            ] as [any RedisArgument])
        guard let answer = ReportAnswer(rawValue: try number(reply)) else {
            throw TaskQueueError(.unexpectedReply, "the queue expected an answer to a failure")
        }
        return answer
    }

    /// Gives tasks of one type back unfinished, to the heads of their lists. Those with another fence stay as they are.
    package func release(_ type: TaskType, _ claims: [TaskClaim]) async throws {
        _ = try await evaluate(
            scripts.release, type, limits + claims.flatMap { [$0.id.rawValue, $0.fence] as [any RedisArgument] })
    }

    /// What a look for lost leases did.
    package struct Reaped: Sendable, Equatable {
        /// Tasks whose lease had run out.
        package var taken = 0
        package var condemned = 0
        package var buried = 0
        package var cancelled = 0
    }

    /// Takes back tasks whose lease has run out. Any number of workers may do so at any time.
    package func reap(_ type: TaskType) async throws -> Reaped {
        let reply = try await evaluate(
            scripts.reap, type,
            limits + [configuration.lease.milliseconds, configuration.maxStalls, 1000] as [any RedisArgument])
        let counts = (reply.array ?? []).compactMap(\.int)
        guard counts.count == 4 else {
            throw TaskQueueError(.unexpectedReply, "the queue expected four counts from Redis")
        }
        return Reaped(taken: counts[0], condemned: counts[1], buried: counts[2], cancelled: counts[3])
    }

    /// Wakes one waiting worker, for whoever took a wake-up it cannot use.
    func ring(_ type: TaskType) async throws(RedisError) {
        _ = try await client.send(["ZADD", keys.queue(type.rawValue, "wake"), 0, "ready"])
    }
}
