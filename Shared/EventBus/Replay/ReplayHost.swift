package import Domain
package import Logging
import Redis
internal import ServiceLifecycle
internal import Synchronization

/// Offers a service's handlers for replays and runs those requested, one at a time. It stands beside the service's
/// `EventSubscriber` and does not need it.
///
/// Any number of replicas may run: each replay has one of them at a time, and when that one dies another goes on within
/// seconds where it was.
package final class ReplayHost: Service {
    private let bus: EventBus
    private let group: String
    private let member: String
    private let handlers: [any EventHandler]
    private let logger: Logger
    private let bell = Doorbell()
    private let isStopping = Atomic(false)

    /// How long a handler counts as offered after its service's last beat.
    private static let offer: Duration = .seconds(5)

    /// - Parameter handlers: Those of the group's subscriber, or some of them.
    package init(bus: EventBus, group: String, replica: String, handlers: [any EventHandler], logger: Logger) {
        self.bus = bus
        self.group = group
        member = PartitionToken.member(of: replica)
        self.handlers = handlers
        var logger = logger
        logger[metadataKey: LogKey.group] = "\(group)"
        self.logger = logger
    }

    /// Until graceful shutdown or cancellation. Losses of Redis are waited out.
    package func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { tasks in
                tasks.addTask { await self.offerHandlers() }
                await self.serve()
                tasks.cancelAll()
            }
        } onGracefulShutdown: {
            self.isStopping.store(true, ordering: .relaxed)
            self.bell.ring()
        }
    }

    private var mustEnd: Bool { Task.isCancelled || isStopping.load(ordering: .relaxed) }

    /// Beats on while a replay runs.
    private func offerHandlers() async {
        while !Task.isCancelled {
            _ = try? await bus.client.pipeline(
                handlers.map { handler in
                    EventBusScripts.memberBeat.command(
                        keys: [bus.keys.replayHandlers],
                        arguments: ["\(group) \(handler.name)", Self.offer.milliseconds, 0])
                })
            try? await Task.sleep(for: Self.offer / 4)
        }
    }

    private func serve() async {
        while !mustEnd {
            do {
                for record in try await open() where !mustEnd {
                    try await take(record)
                }
            } catch {
                logger.warning("Replays cannot be looked for", metadata: [LogKey.error: "\(error)"])
            }
            if !mustEnd { await bell.wait(for: bus.configuration.heartbeat) }
        }
    }

    /// Replays to one of the handlers that wait, or whose replica is silent.
    private func open() async throws -> [ReplayRecord] {
        let ids = try await bus.client.send(["ZRANGE", bus.keys.openReplays, 0, -1]).array ?? []
        let known = ids.compactMap { $0.string.map { ReplayID($0) } }
        guard !known.isEmpty else { return [] }
        let now = try await bus.serverTime().milliseconds
        let replies = try await bus.client.pipeline(known.map { ["HGETALL", bus.keys.replay($0)] })
        var records: [ReplayRecord] = []
        for (id, reply) in zip(known, replies) {
            guard let record = ReplayRecord(id: id, reply), !record.status.isFinished else {
                _ = try await bus.client.send(["ZREM", bus.keys.openReplays, id.rawValue])
                continue
            }
            if handler(of: record) != nil, record.status.state == .waiting || record.leasedUntil < now {
                records.append(record)
            }
        }
        return records
    }

    private func handler(of record: ReplayRecord) -> (any EventHandler)? {
        guard case .handler(group, let name) = record.status.request.target else { return nil }
        return handlers.first { $0.name == name }
    }

    private func take(_ record: ReplayRecord) async throws {
        guard let handler = handler(of: record) else { return }
        try await bus.runReplay(
            record.status.id, handler: handler, member: member, logger: logger,
            isStopping: { self.isStopping.load(ordering: .relaxed) })
    }
}

extension EventBus {
    /// Replays a range into a handler of this process, and returns when it is done; see `ReplayRequest` for what that
    /// means for the handler's effects. Cancelling the task cancels the replay.
    ///
    /// - Parameters:
    ///   - filter: Which events.
    ///   - from: By the time they were appended, inclusive; nil is the beginning.
    ///   - to: Inclusive; nil is now.
    ///   - progress: Called when the replay has its id, which other processes can watch and cancel it by.
    @discardableResult
    package func replay(
        _ filter: EventFilter = EventFilter(), from: Timestamp? = nil, to: Timestamp? = nil,
        into handler: any EventHandler, logger: Logger, progress: (ReplayStatus) -> Void = { _ in }
    ) async throws -> ReplayStatus {
        let member = PartitionToken.member(of: "replay")
        let status = try await recordReplay(
            ReplayRequest(
                target: .handler(group: member, name: handler.name), filter: filter, from: from, to: to))
        progress(status)
        do {
            while try await replay(status.id)?.isFinished == false {
                try await runReplay(
                    status.id, handler: handler, member: member, logger: logger, isStopping: { false })
            }
        } catch {
            // Runs although the task is cancelled.
            await Task { _ = try? await cancelReplay(status.id) }.value
            throw error
        }
        return try await replay(status.id) ?? status
    }

    /// Claims a replay and runs it to its end, as far as it is not interrupted.
    func runReplay(
        _ id: ReplayID, handler: any EventHandler, member: String, logger: Logger,
        isStopping: @escaping @Sendable () -> Bool
    ) async throws {
        let claim = try await client.evaluate(
            EventBusScripts.replayClaim, keys: [keys.replay(id)],
            arguments: [member, ReplayRunner.lease.milliseconds])
        guard let token = claim.string,
            // After the claim, so that it has the last checkpoint of whoever ran it before.
            let record = ReplayRecord(id: id, try await client.send(["HGETALL", keys.replay(id)]))
        else { return }
        let runner = ReplayRunner(
            bus: self, record: record, handler: handler, token: token, logger: logger, isStopping: isStopping)
        logger.info("A replay runs", metadata: [LogKey.replay: "\(id)", LogKey.handler: "\(handler.name)"])
        do {
            try await runner.run()
            logger.info("A replay is done", metadata: [LogKey.replay: "\(id)"])
        } catch ReplayRunner.Interruption.stopping {
            await runner.release()
        } catch ReplayRunner.Interruption.ended {
            try await forgetReplay(id)
        } catch ReplayRunner.Interruption.taken {
            logger.notice("A replay went to another replica", metadata: [LogKey.replay: "\(id)"])
        }
    }
}
