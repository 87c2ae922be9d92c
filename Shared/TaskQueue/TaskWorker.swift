import Domain
package import Logging
import Redis
import ServiceLifecycle

/// Claims tasks of the types of its handlers and runs them, up to `maxWorkers` at a time.
///
/// On graceful shutdown it claims no more, lets running tasks go on for `drainGrace`, then cancels them and gives back
/// to the heads of their lists what does not end by itself. When `run()` is cancelled instead, there is no grace.
///
/// `run()` throws `TaskQueueError` of code `.stuck` when every place is held by a handler that ignores its cancellation:
/// only a new process can work again.
package final class TaskWorker: Service {
    let queue: TaskQueue
    let name: String
    let logger: Logger
    let slots: WorkerSlots
    let running = RunningTasks()
    let maxWorkers: Int
    let statistics = WorkerStatistics()
    /// Reports of completed tasks.
    let completers: [TaskType: Coalescer<TaskQueue.Completion, TaskQueue.ReportAnswer>]
    /// Rung when there is something in the outbox of a type.
    let carriers: [TaskType: (stream: AsyncStream<Void>, continuation: AsyncStream<Void>.Continuation)]
    /// Finished when the worker cannot work any more.
    let stuck = AsyncStream.makeStream(of: Void.self)
    private let handlers: [AnyTaskHandler]

    /// How long a worker waits for the bell before it looks by itself.
    private static let longestWait: Duration = .seconds(10)

    /// - Parameters:
    ///   - handlers: one for each task type.
    ///   - maxWorkers: tasks that run at the same time, of all types together; at least 1.
    ///   - name: the replica's, shown with its tasks.
    package init(queue: TaskQueue, handlers: [any TaskHandler], maxWorkers: Int, name: String, logger: Logger) {
        precondition(maxWorkers >= 1, "a worker needs at least one place")
        self.queue = queue
        self.handlers = handlers.map { Self.erase($0) }
        precondition(Set(self.handlers.map(\.type)).count == handlers.count, "two handlers for one task type")
        self.maxWorkers = maxWorkers
        completers = Dictionary(
            uniqueKeysWithValues: self.handlers.map { handler in
                (
                    handler.type,
                    Coalescer(most: TaskQueue.batchSize) {
                        try await queue.complete(handler.type, $0)
                    }
                )
            })
        carriers = Dictionary(
            uniqueKeysWithValues: self.handlers.map {
                ($0.type, AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1)))
            })
        self.name = name
        self.logger = logger
        slots = WorkerSlots(count: maxWorkers)
    }

    private static func erase(_ handler: some TaskHandler) -> AnyTaskHandler { AnyTaskHandler(handler) }

    private enum StopCause {
        case told
        case stuck
    }

    package func run() async throws {
        let cause = await withTaskGroup(of: Void.self) { upkeep in
            upkeep.addTask { await self.keepLeases(types: self.handlers.map(\.type)) }
            upkeep.addTask { await self.keepDeadlines() }
            for (type, bell) in carriers {
                upkeep.addTask { await self.carry(type, whenever: bell.stream) }
            }
            upkeep.addTask { await self.reapRegularly(types: self.handlers.map(\.type)) }
            let cause = await claimUntilStopped()
            let grace = Task.isCancelled || cause == .stuck ? .zero : queue.configuration.drainGrace
            // Giving tasks back must not be cut short by the cancellation that made it necessary.
            await Task { await self.drain(grace: grace) }.value
            upkeep.cancelAll()
            return cause
        }
        guard cause == .told else {
            throw TaskQueueError(.stuck, "every place of the worker is held by a handler that ignores its cancellation")
        }
    }

    private func claimUntilStopped() async -> StopCause {
        await withTaskGroup(of: StopCause?.self) { group in
            group.addTask {
                try? await gracefulShutdown()
                return .told
            }
            group.addTask {
                for await _ in self.stuck.stream {}
                return Task.isCancelled ? nil : .stuck
            }
            for handler in handlers {
                group.addTask {
                    await self.serve(handler)
                    return nil
                }
            }
            for await case let cause? in group {
                group.cancelAll()
                return cause
            }
            return .told
        }
    }

    /// Claims and starts tasks of one type until cancelled, over one connection for its waits.
    private func serve(_ handler: AnyTaskHandler) async {
        while !Task.isCancelled {
            do {
                try await queue.client.withDedicatedConnection { connection in
                    try await self.claimAndWait(handler, connection)
                }
            } catch {
                if Task.isCancelled { return }
                logger.warning(
                    "Claiming tasks failed; trying again",
                    metadata: [LogKey.taskType: "\(handler.type)", LogKey.error: "\(error)"])
                try? await Task.sleep(for: .milliseconds(Int.random(in: 200...600)))
            }
        }
    }

    private func claimAndWait(_ handler: AnyTaskHandler, _ connection: RedisConnection) async throws {
        let wake = queue.keys.queue(handler.type.rawValue, "wake")
        // By halves: while Redis hands out one, the tasks of the other are run and reported.
        let most = (maxWorkers + 1) / 2
        var wasWoken = false
        while !Task.isCancelled {
            var places = slots.tryAcquire(upTo: most)
            if places == 0 {
                // The bell wakes one worker. One that cannot come must wake another.
                if wasWoken { try await queue.ring(handler.type) }
                places = await slots.acquire(upTo: most)
                // Tasks end in groups, since they are reported so.
                await Task.yield()
                if places > 0, places < most { places += slots.tryAcquire(upTo: most - places) }
            }
            wasWoken = false
            guard places > 0 else { return }
            if Task.isCancelled { return slots.release(places) }
            let claims = try await claim(handler.type, places)
            for claim in claims.tasks {
                start(claim, handler)
            }
            slots.release(places - claims.tasks.count)
            if claims.tasks.count == places { continue }
            // Redis takes 0 for "forever".
            let wait = max(min(claims.nextDue ?? Self.longestWait, Self.longestWait), .milliseconds(1))
            let reply = try await connection.send(
                ["BZPOPMIN", wake, Double(wait.milliseconds) / 1000], blockingFor: wait)
            wasWoken = !reply.isNull
        }
    }

    private func claim(_ type: TaskType, _ places: Int) async throws -> TaskClaims {
        // A claim whose reply is not awaited would leave tasks lying until their leases run out.
        let (queue, name) = (queue, name)
        let claiming = Task { try await queue.claim(type, count: places, worker: name) }
        do {
            return try await claiming.value
        } catch {
            slots.release(places)
            throw error
        }
    }

    /// Lets running tasks end, then makes them, then gives back what is left.
    private func drain(grace: Duration) async {
        for handler in handlers {
            // The wait that was cut short may have taken a wake-up meant for any worker.
            try? await queue.ring(handler.type)
        }
        if await running.whenEmpty(within: grace) { return }
        let now = ContinuousClock.now
        for task in running.all {
            task.stop(.draining, at: now)
        }
        if await running.whenEmpty(within: queue.configuration.stopGrace) { return }
        for (type, tasks) in running.byType {
            let left = tasks.filter { $0.stopReason != .lost && $0.beginReport() }.map(\.claim)
            guard !left.isEmpty else { continue }
            logger.warning(
                "Gave back tasks whose handlers did not stop",
                metadata: [LogKey.taskType: "\(type)", LogKey.count: "\(left.count)"])
            try? await queue.release(type, left)
        }
    }
}
