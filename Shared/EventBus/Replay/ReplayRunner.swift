import Domain
import Logging
import Redis

/// Runs one claimed replay through a handler, partition by partition, page by page.
///
/// Crash-safe: after each page the position goes into the replay's record together with a check that the claim still
/// holds. Who takes the replay over begins behind the last page; what the former replica did of the next one is not
/// done again, because the handler's effects are guarded by positions of this replay.
struct ReplayRunner {
    enum Interruption: Error {
        /// Somebody cancelled it, or it ended.
        case ended
        /// Another replica runs it by now.
        case taken
        /// This replica shuts down.
        case stopping
    }

    static let lease: Duration = .seconds(5)
    /// Outlives a replica that is frozen for a while; a later claim overwrites it.
    private static let ownership: Duration = .seconds(60)
    private static let pageSize = 512
    /// Partitions read at once.
    private static let concurrentPartitions = 8
    private static let keptFailures = 20

    let bus: EventBus
    let record: ReplayRecord
    let handler: any EventHandler
    let token: String
    let logger: Logger
    let isStopping: @Sendable () -> Bool

    private var id: ReplayID { record.status.id }
    private var range: ReplayRange { ReplayRange(record.status.request, now: record.status.requestedAt) }

    /// - Throws: `Interruption`; `RedisError` when Redis is away: the claim then runs out, and somebody takes it again.
    func run() async throws {
        let partitions = range.partitions(of: bus)
        try await own(partitions, isNew: true)
        try await withThrowingTaskGroup(of: Bool.self) { tasks in
            tasks.addTask {
                while true {
                    try await Task.sleep(for: Self.lease / 4)
                    try await checkpoint([])
                    try await own(partitions, isNew: false)
                }
            }
            tasks.addTask {
                try await runAll(partitions)
                return true
            }
            defer { tasks.cancelAll() }
            while let isDone = try await tasks.next(), !isDone {}
        }
        try await checkpoint([], state: .completed)
        try await bus.forgetReplay(id)
    }

    /// Gives the replay back, so that another replica goes on at once.
    func release() async {
        _ = try? await checkpoint([], state: .waiting)
    }

    private func runAll(_ partitions: [Int]) async throws {
        let concurrent = min(Self.concurrentPartitions, partitions.count)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for (index, partition) in partitions.enumerated() {
                if index >= concurrent { try await tasks.next() }
                tasks.addTask {
                    try await run(partition, lanes: max(1, bus.configuration.maxConcurrentExams / concurrent))
                }
            }
            try await tasks.waitForAll()
        }
    }

    private func run(_ partition: Int, lanes: Int) async throws {
        var done = record.checkpoints[partition] ?? ReplayRecord.Checkpoint()
        var start = max(range.start, done.position == .zero ? .zero : done.position.successor)
        while let page = try await range.page(of: bus, partition: partition, from: start, count: Self.pageSize) {
            if isStopping() { throw Interruption.stopping }
            let failures = try await handle(page.events, lanes: lanes)
            done.handled += page.events.count - failures.count
            done.failed += failures.count
            done.position = page.next.map(\.predecessor) ?? range.end
            var fields: [any RedisArgument] = ["\(ReplayRecord.checkpointPrefix)\(partition)", done.text]
            for failure in failures.prefix(max(0, Self.keptFailures - done.failed + failures.count)) {
                fields += ["\(ReplayRecord.failurePrefix)\(failure.event)", failure.error]
            }
            try await checkpoint(fields)
            guard let next = page.next else { return }
            start = next
        }
    }

    /// Exams concurrently, the events of each in order.
    private func handle(_ events: [StoredEvent], lanes: Int) async throws -> [ReplayStatus.Failure] {
        let wanted = events.filter { handler.eventTypes.isEmpty || handler.eventTypes.contains($0.event.type) }
        let exams = Dictionary(grouping: wanted, by: \.event.partitionKey).values
        return try await withThrowingTaskGroup(of: [ReplayStatus.Failure].self) { tasks in
            var failures: [ReplayStatus.Failure] = []
            for (index, exam) in exams.enumerated() {
                if index >= lanes, let some = try await tasks.next() { failures += some }
                tasks.addTask {
                    var failures: [ReplayStatus.Failure] = []
                    for stored in exam {
                        if let error = try await handle(stored) {
                            failures.append(ReplayStatus.Failure(event: EventCursor(stored), error: error))
                        }
                    }
                    return failures
                }
            }
            for try await some in tasks { failures += some }
            return failures
        }
    }

    /// - Returns: why the event was given up; nil when it was handled.
    private func handle(_ stored: StoredEvent) async throws -> String? {
        var attempt = 1
        while true {
            do {
                let opened = try await bus.opened(stored)
                try await handler.handle(opened, context: context(opened, attempt: attempt))
                return nil
            } catch {
                try Task.checkCancellation()
                if (error as? EventBusError)?.code == .staleOwner { throw Interruption.taken }
                // Redis is away: no fault of the event.
                if let error = error as? RedisError, !error.isRefusal { throw error }
                let isHopeless = error is EventRejection || (error as? EventBusError)?.code == .malformedEntry
                guard !isHopeless, attempt <= bus.configuration.maxRetries else {
                    logger.error(
                        "An event of a replay could not be handled",
                        metadata: [
                            LogKey.replay: "\(id)", LogKey.position: "\(stored.position)",
                            LogKey.partition: "\(stored.partition)", LogKey.error: "\(error)",
                        ])
                    return String("\(error)".prefix(2000))
                }
                try await Task.sleep(for: bus.configuration.retryDelay(attempt: attempt))
                attempt += 1
            }
        }
    }

    private func context(_ stored: StoredEvent, attempt: Int) -> HandlingContext {
        let subject = stored.event.examID.map { "exam:\($0)" } ?? "type:\(stored.event.type)"
        let guarding = EffectGuard(
            ownerKey: bus.keys.owner(stored.partition, group: id.group),
            appliedKey: bus.keys.replayed(stored.partition, id), fence: token, field: "\(subject)/\(handler.name)",
            position: stored.position)
        return HandlingContext(
            group: id.group, replica: PartitionToken.replica(token), partition: stored.partition,
            position: stored.position, attempt: attempt, fence: token, effectGuard: guarding)
    }

    private func own(_ partitions: [Int], isNew: Bool) async throws {
        let replies = try await bus.client.pipeline(
            partitions.map { partition in
                EventBusScripts.replayFence.command(
                    keys: [bus.keys.owner(partition, group: id.group)],
                    arguments: [token, Self.ownership.milliseconds, isNew ? 1 : 0])
            })
        for reply in replies {
            if let error = reply.error { throw RedisError(refused: error) }
            guard reply.int == 1 else { throw Interruption.taken }
        }
    }

    private func checkpoint(
        _ fields: [any RedisArgument], state: ReplayStatus.State = .running
    ) async throws {
        let reply = try await bus.client.evaluate(
            EventBusScripts.replayCheckpoint, keys: [bus.keys.replay(id)],
            arguments: [token, Self.lease.milliseconds, state.rawValue] + fields)
        switch reply.string {
        case "OK": return
        case "STALE", "waiting": throw Interruption.taken
        default: throw Interruption.ended
        }
    }
}

extension RedisError {
    var isRefusal: Bool {
        if case .refused = code { true } else { false }
    }
}

extension EventBusConfiguration {
    /// The pause after the `attempt`th failure of an event, 1 or more.
    func retryDelay(attempt: Int) -> Duration {
        guard let last = retryDelays.last else { return .zero }
        return (attempt <= retryDelays.count ? retryDelays[attempt - 1] : last) * Double.random(in: 0.9...1.1)
    }
}
