import Domain
import Logging

/// What a worker does beside its tasks: it keeps their leases, their deadlines, and everyone's lost leases.
extension TaskWorker {
    private static let deadlineTick: Duration = .milliseconds(100)
    private static let progressInterval: Duration = .milliseconds(250)
    private static let mostBeatsInACall = 500

    /// Extends the leases of all running tasks and tells of this worker, one call for each type.
    func keepLeases(types: [TaskType]) async {
        var pause = Duration.zero
        while (try? await Task.sleep(for: pause)) != nil {
            pause = queue.configuration.heartbeatInterval
            let running = running.byType
            for type in types {
                let tasks = running[type] ?? []
                let report = statistics.report(type, worker: name, places: maxWorkers, running: tasks.count)
                for start in stride(from: 0, to: max(tasks.count, 1), by: Self.mostBeatsInACall) {
                    let chunk = Array(tasks[start..<min(start + Self.mostBeatsInACall, tasks.count)])
                    if await !beat(type, chunk, report) { pause = min(pause, .milliseconds(250)) }
                }
            }
        }
    }

    /// - Returns: whether Redis answered.
    private func beat(_ type: TaskType, _ tasks: [RunningTask], _ report: WorkerReport? = nil) async -> Bool {
        do {
            let answers = try await queue.heartbeat(type, tasks.map { $0.beat() }, report: report)
            let now = ContinuousClock.now
            for (task, answer) in zip(tasks, answers) {
                switch answer {
                case .goOn: break
                case .cancel: task.stop(.cancelled, at: now)
                case .lost:
                    if task.stop(.lost, at: now) {
                        logger.warning("Lost the lease of a task; stopping it", metadata: metadata(task.claim, nil))
                    }
                }
            }
            return true
        } catch {
            logger.warning(
                "A heartbeat failed", metadata: [LogKey.taskType: "\(type)", LogKey.error: "\(error)"])
            return false
        }
    }

    func report(progress fraction: Double, _ message: String, of task: RunningTask) async {
        guard task.note(progress: fraction, message, at: .now, every: Self.progressInterval) else { return }
        _ = await beat(task.claim.type, [task])
    }

    /// Stops tasks whose time is over, and reports those that do not listen.
    func keepDeadlines() async {
        while (try? await Task.sleep(for: Self.deadlineTick)) != nil {
            let now = ContinuousClock.now
            let tasks = running.all
            for task in tasks {
                if task.isOverdue(at: now) { task.stop(.timedOut, at: now) }
                if task.isDeaf(at: now, grace: queue.configuration.stopGrace) { giveUp(task) }
            }
            if tasks.count(where: \.isGivenUp) == maxWorkers { stuck.continuation.finish() }
        }
    }

    /// Reports a run whose handler ignores its cancellation, so that the task can go on elsewhere. Its place stays taken
    /// until the handler returns: places bound the load that really is there.
    private func giveUp(_ task: RunningTask) {
        guard let reason = task.stopReason, reason != .draining, task.giveUp() else { return }
        let claim = task.claim
        logger.error("A handler ignores its cancellation", metadata: metadata(claim, nil))
        // Of its own: the other deadlines do not wait for Redis.
        Task {
            switch reason {
            case .timedOut:
                let failure = Self.timedOut(claim, queue.configuration)
                // The handler's last word belongs to it; another claim gives it the chance.
                if isFinal(failure, claim) {
                    _ = try? await queue.fail(claim, error: failure.message, mode: .condemn(after: .zero))
                } else {
                    await report(failure, claim)
                }
            case .cancelled: _ = try? await queue.fail(claim, error: "cancelled", mode: .cancelled)
            case .lost, .draining: break
            }
        }
    }

    /// Takes back what other workers lost, and places what recurs.
    func reapRegularly(types: [TaskType]) async {
        let interval = queue.configuration.reapInterval
        repeat {
            for type in types {
                // Neither keeps the other from being done.
                await attempt("Looking for lost leases", type) {
                    let reaped = try await self.queue.reap(type)
                    guard reaped.taken > 0 else { return }
                    self.logger.warning(
                        "Took back tasks whose lease had run out",
                        metadata: [LogKey.taskType: "\(type)", LogKey.count: "\(reaped.taken)"])
                }
                // What another worker could not carry any more.
                carriers[type]?.continuation.yield()
                await attempt("Looking for lost children", type) { try await self.queue.checkWaiting(type) }
                await attempt("Placing recurring tasks", type) { try await self.queue.placeRecurring(type) }
            }
            // Never longer than the interval, so that a lost task is back in time; shorter so that replicas spread.
        } while (try? await Task.sleep(for: interval * Double.random(in: 0.7...1))) != nil
    }

    /// Tells parents that their children have ended, and children what befell their parents.
    func carry(_ type: TaskType, whenever bell: AsyncStream<Void>) async {
        for await _ in bell {
            await attempt("Telling other tasks", type) { try await self.queue.carry(type) }
        }
    }

    private func attempt(_ what: String, _ type: TaskType, _ body: () async throws -> Void) async {
        do {
            try await body()
        } catch {
            logger.warning("\(what) failed", metadata: [LogKey.taskType: "\(type)", LogKey.error: "\(error)"])
        }
    }
}
