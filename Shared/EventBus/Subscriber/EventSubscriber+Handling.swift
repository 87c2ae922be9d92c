import Domain
import Logging
import Redis
import Synchronization

/// Workers: each takes a lane, handles some of its events in order, and takes the next.
extension EventSubscriber {
    func work() async {
        while let first = lanes.withLock({ $0.take(.now) }) {
            var next: LaneStateMachine.Work? = first
            var turn = 0
            while let work = next {
                let outcome = await handle(work)
                turn += 1
                let now = ContinuousClock.now
                let (following, hasDrained, hasStarved, isCalling) = lanes.withLock { lanes in
                    let following = lanes.finish(work, outcome, turn: turn, now: now)
                    guard case .handled = outcome else { return (following, lanes.hasDrained, lanes.hasStarved, false) }
                    return (following, lanes.hasDrained, lanes.hasStarved, lanes.callAcknowledging())
                }
                settled(outcome)
                if isCalling { acknowledgementBell.ring() }
                if following == nil, hasStarved { refillBell.ring() }
                if hasDrained { ownershipBell.ring() }
                next = following
            }
        }
    }

    private func settled(_ outcome: LaneStateMachine.Outcome) {
        switch outcome {
        case .failed, .postponed, .unanswered:
            retryBell.ring()
            readerBell.ring()
        case .deadLettered: readerBell.ring()
        case .handled, .abandoned: break
        }
    }

    private func handle(_ work: LaneStateMachine.Work) async -> LaneStateMachine.Outcome {
        guard work.item.deliveries > Self.unwatchedDeliveries else { return await attempt(work) }
        return await watched(work) { await self.attempt(work) }
    }

    private func attempt(_ work: LaneStateMachine.Work) async -> LaneStateMachine.Outcome {
        var stored: StoredEvent
        switch work.item.content {
        case .success(let event): stored = event
        case .failure(let error): return await deadLetter(work, handler: "", error: error)
        }
        if stored.isSealed {
            do {
                stored = try await bus.opened(stored)
            } catch let error as EventBusError {
                return await deadLetter(work, handler: "", error: error)
            } catch {
                return await failed(work, handler: "", error: error, done: work.done)
            }
        }
        var done = work.done
        let interested = handlers.handlers(for: stored.event.type)
        for handler in interested where done.isEmpty || !done.contains(handler.name) {
            do {
                try await handler.handle(stored, context: context(work, stored, handler))
                if interested.count > 1 { done.insert(handler.name) }
            } catch {
                return await failed(work, handler: handler.name, error: error, done: done)
            }
        }
        handled.add(1, ordering: .relaxed)
        return .handled
    }

    private func context(
        _ work: LaneStateMachine.Work, _ stored: StoredEvent, _ handler: any EventHandler
    ) -> HandlingContext {
        HandlingContext(
            group: group, replica: replica, partition: stored.partition,
            position: stored.position, attempt: work.attempt, fence: work.token,
            bus: bus, event: stored, handler: handler.name)
    }

    private func failed(
        _ work: LaneStateMachine.Work, handler: String, error: any Error, done: Set<String>
    ) async -> LaneStateMachine.Outcome {
        if Task.isCancelled { return .abandoned }
        // A handler may wrap the refusal of a stale effect in an error of its own; the owner key tells.
        let isOwned = await owns(work.lane.partition, token: work.token)
        if isOwned == false {
            ownershipBell.ring()
            return .abandoned
        }
        var metadata: Logger.Metadata = [
            LogKey.partition: "\(work.lane.partition)", LogKey.position: "\(work.item.position)",
            LogKey.handler: "\(handler)", LogKey.attempt: "\(work.attempt)", LogKey.error: "\(error)",
        ]
        if case .success(let stored) = work.item.content {
            metadata[LogKey.eventType] = "\(stored.event.type)"
            metadata[LogKey.correlationID] = "\(stored.event.correlationID)"
        }
        if let error = error as? RedisError, error.isOutage {
            // No fault of the event's, and no reason to give it up. Only one that Redis, which answers others, does not
            // answer in time again and again is to blame itself.
            let isSuspect = isOwned != nil && error.code == .timedOut
            if !isSuspect || work.unanswered < bus.configuration.maxRetries {
                logger.warning("An event waits for Redis", metadata: metadata)
                counters.withLock { $0.postponed += 1 }
                let due = ContinuousClock.now + bus.configuration.retryDelay(attempt: work.attempt)
                return isSuspect ? .unanswered(due: due, done: done) : .postponed(due: due, done: done)
            }
        }
        guard !(error is EventRejection), work.attempt <= bus.configuration.maxRetries else {
            logger.error("An event could not be handled", metadata: metadata)
            return await deadLetter(work, handler: handler, error: error)
        }
        logger.warning("An event is handled again later", metadata: metadata)
        counters.withLock { $0.retried += 1 }
        return .failed(due: .now + bus.configuration.retryDelay(attempt: work.attempt), done: done)
    }

    func deadLetter(
        _ work: LaneStateMachine.Work, handler: String, error: any Error
    ) async -> LaneStateMachine.Outcome {
        let partition = work.lane.partition
        let reason = String("\(error)".prefix(2000))
        while !Task.isCancelled {
            do {
                let reply = try await bus.client.evaluate(
                    EventBusScripts.deadLetter,
                    keys: [
                        bus.keys.owner(partition, group: group), bus.keys.events(partition), bus.keys.dead(partition),
                        bus.keys.aside(partition), bus.keys.interrupted(partition, group: group),
                    ],
                    arguments: [
                        work.token, group, work.item.position.description, handler, reason,
                        max(work.attempt, work.item.deliveries),
                        bus.configuration.maxDeadLetters,
                    ])
                if reply.string == "STALE" {
                    ownershipBell.ring()
                    return .abandoned
                }
                counters.withLock { $0.deadLettered += 1 }
                return .deadLettered
            } catch {
                // It may not be passed over: the exam waits until Redis takes it.
                logger.warning("A dead letter could not be written", metadata: [LogKey.error: "\(error)"])
                try? await Task.sleep(for: bus.configuration.heartbeat)
                if await owns(partition, token: work.token) == false { return .abandoned }
            }
        }
        return .abandoned
    }

    /// Makes lanes ready whose pause before the next try is over.
    func retryLoop() async {
        while !Task.isCancelled {
            let now = ContinuousClock.now
            let next = lanes.withLock { $0.wake(now) }
            startWorkers()
            if let next {
                await retryBell.wait(for: next - now)
            } else {
                await retryBell.wait()
            }
        }
    }
}
