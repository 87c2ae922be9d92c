import Domain
import Logging
import Redis

extension TaskWorker {
    /// Runs that may fail with Redis before they count as attempts: a task that makes Redis fail must end too.
    private static let mostOutages = 20

    /// How one run of a handler ended.
    private enum Ending {
        case completed(TaskResult)
        case failed(TaskFailure)
        case cancelled
        case released
        /// Someone else has the task or has reported its end.
        case nothing
    }

    /// Runs a claim in a task of its own: a handler that ignores its cancellation must not hold up the worker's end.
    func start(_ claim: TaskClaim, _ handler: AnyTaskHandler) {
        let task = RunningTask(claim, deadline: .now + (claim.origin.timeout ?? queue.configuration.taskTimeout))
        running.insert(task)
        task.attach(
            Task {
                await self.process(task, handler)
                self.running.remove(task)
                self.slots.release(1)
            })
    }

    private func process(_ task: RunningTask, _ handler: AnyTaskHandler) async {
        let claim = task.claim
        let context = TaskContext(
            claim: claim, maxAttempts: maxAttempts(of: claim), worker: name,
            report: { [weak self] in await self?.report(progress: $0, $1, of: task) },
            submitChildren: { [queue] in try await queue.submit(children: $0, of: claim) })
        let begin = ContinuousClock.now
        var ending: Ending
        if let reason = claim.condemned {
            ending = .failed(TaskFailure(retryable: false, message: reason))
        } else {
            ending = await end(of: task) { try await handler.run(claim, context) }
        }
        switch ending {
        case .completed: statistics.ended(claim.type, isCompleted: true, after: .now - begin)
        case .failed: statistics.ended(claim.type, isCompleted: false, after: .now - begin)
        case .cancelled, .released, .nothing: break
        }
        if case .failed(let failure) = ending {
            ending = await end(afterFailure: failure, task, handler, context)
        }
        await report(ending, task)
    }

    /// Runs the handler and says what its end means, given what stopped it.
    private func end(of task: RunningTask, _ body: () async throws -> TaskResult) async -> Ending {
        do {
            let result = try await body()
            return task.stopReason == .lost ? .nothing : .completed(result)
        } catch {
            switch task.stopReason {
            case .lost: return .nothing
            case .cancelled: return .cancelled
            case .draining: return .released
            case .timedOut: return .failed(Self.timedOut(task.claim, queue.configuration))
            case nil: return .failed(TaskFailure(error))
            }
        }
    }

    /// Tells the handler when a failure is final.
    ///
    /// - Returns: `.failed` once more (to be retried or buried), or `.nothing` when the end is reported here.
    private func end(
        afterFailure failure: TaskFailure, _ task: RunningTask, _ handler: AnyTaskHandler, _ context: TaskContext
    ) async -> Ending {
        guard isFinal(failure, task.claim), !task.isReported else { return .failed(failure) }
        let claim = task.claim
        do {
            // Of its own, because the run may have been cancelled, and the handler must hear of just that.
            try await Task { try await handler.failedFinally(claim, failure, context) }.value
            return .failed(failure)
        } catch {
            logger.warning("A handler failed to take note of a final failure", metadata: metadata(claim, error))
            guard claim.reports < queue.configuration.maxAttempts, task.beginReport() else { return .failed(failure) }
            let delay = delay(after: claim, attempt: claim.reports + 1)
            await tell(claim) {
                try await $0.reportFailure(claim, error: failure.message, mode: .condemn(after: delay))
            }
            return .nothing
        }
    }

    private func report(_ ending: Ending, _ task: RunningTask) async {
        if case .nothing = ending { return }
        guard task.beginReport() else { return }
        let claim = task.claim
        switch ending {
        case .nothing: return
        case .completed(let result):
            guard result.json.count <= queue.configuration.maxResultBytes else {
                await report(
                    TaskFailure(retryable: false, message: "the result has \(result.json.count) bytes, too many"), claim
                )
                return
            }
            let completion = TaskQueue.Completion(claim, result: result.json)
            guard let completer = completers[claim.type] else { return }
            await tell(claim) { _ in try await completer.send(completion) }
        case .failed(let failure): await report(failure, claim)
        case .cancelled: await tell(claim) { try await $0.reportFailure(claim, error: "cancelled", mode: .cancelled) }
        case .released:
            await tell(claim) {
                try await $0.release(claim.type, [claim])
                return .recorded
            }
        }
    }

    /// Records a failure: another attempt, or the end.
    func report(_ failure: TaskFailure, _ claim: TaskClaim) async {
        let isFinal = isFinal(failure, claim)
        logger.log(
            level: isFinal ? .error : .warning, isFinal ? "A task failed finally" : "A task failed and will be retried",
            metadata: metadata(claim, failure))
        let delay = delay(after: claim, attempt: claim.attempt)
        let mode: TaskFailureMode =
            isFinal ? .bury : isPostponed(failure, claim) ? .postpone(after: delay) : .retry(after: delay)
        await tell(claim) { try await $0.reportFailure(claim, error: failure.message, mode: mode) }
    }

    /// Repeats a report until Redis has it: the scripts know a repeated one by its fence. After an hour the lease has
    /// decided.
    private func tell(
        _ claim: TaskClaim, _ report: @escaping @Sendable (TaskQueue) async throws -> TaskQueue.ReportAnswer
    ) async {
        let (queue, logger, metadata) = (queue, logger, metadata(claim, nil))
        let bell = carriers[claim.type]
        // Of its own, so that it is not cut short by the cancellation that it reports.
        await Task {
            let giveUp = ContinuousClock.now + .seconds(3600)
            var pause = Duration.milliseconds(50)
            while ContinuousClock.now < giveUp {
                do {
                    switch try await report(queue) {
                    case .refused:
                        logger.warning("A report came too late: the task has another owner", metadata: metadata)
                    case .recorded: break
                    case .recordedWithNews: bell?.continuation.yield()
                    }
                    return
                } catch {
                    logger.warning("A task's end could not be reported; trying again", metadata: metadata)
                    if let error = error as? TaskQueueError, error.code != .unexpectedReply { return }
                }
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(1))
            }
        }.value
    }

    func isFinal(_ failure: TaskFailure, _ claim: TaskClaim) -> Bool {
        !failure.retryable || (claim.attempt >= maxAttempts(of: claim) && !isPostponed(failure, claim))
    }

    private func isPostponed(_ failure: TaskFailure, _ claim: TaskClaim) -> Bool {
        failure.isOutage && claim.outages < Self.mostOutages
    }

    private func maxAttempts(of claim: TaskClaim) -> Int {
        claim.origin.maxAttempts ?? queue.configuration.maxAttempts
    }

    private func delay(after claim: TaskClaim, attempt: Int) -> Duration {
        let policy = RetryPolicy(
            delays: claim.origin.retryDelays ?? queue.configuration.retryDelays, jitter: queue.configuration.retryJitter
        )
        var generator = SystemRandomNumberGenerator()
        return policy.delay(afterAttempt: attempt, using: &generator)
    }

    static func timedOut(_ claim: TaskClaim, _ configuration: TaskQueueConfiguration) -> TaskFailure {
        let limit = claim.origin.timeout ?? configuration.taskTimeout
        return TaskFailure(retryable: true, message: "timed out after \(Double(limit.milliseconds) / 1000) s")
    }

    func metadata(_ claim: TaskClaim, _ error: (any Error)?) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            LogKey.taskType: "\(claim.type)", LogKey.taskID: "\(claim.id)", LogKey.attempt: "\(claim.attempt)",
            LogKey.correlationID: "\(claim.origin.correlationID)",
        ]
        if let error { metadata[LogKey.error] = "\(error)" }
        return metadata
    }
}
