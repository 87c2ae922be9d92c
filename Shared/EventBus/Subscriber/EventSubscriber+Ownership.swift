import Logging
import Redis
import Synchronization

/// Beats, takes and gives up partitions, one step after the other.
extension EventSubscriber {
    /// Until graceful shutdown has given everything up, or cancellation.
    func keepOwnership() async {
        var trustedSince: ContinuousClock.Instant?
        var renewed = ContinuousClock.now
        var isAway = false
        while !Task.isCancelled {
            do {
                if isStopping.load(ordering: .relaxed) {
                    if try await leave() { return }
                } else {
                    let start = ContinuousClock.now
                    if !lanes.withLock({ $0.isTrusted(start) }) { trustedSince = nil }
                    let since = trustedSince ?? start
                    trustedSince = since
                    try await beat(at: start, maySeize: start - since >= bus.configuration.leaseDuration)
                    if start - renewed >= bus.configuration.ownerKeyLifetime / 4 {
                        try await renew()
                        renewed = start
                    }
                }
                try await releaseDrained()
                await wakeReader()
                if isAway {
                    isAway = false
                    logger.notice("Redis is back")
                }
            } catch {
                if !isAway, !Task.isCancelled {
                    isAway = true
                    logger.warning("Redis does not answer", metadata: [LogKey.error: "\(error)"])
                }
            }
            await ownershipBell.wait(for: bus.configuration.heartbeat)
        }
    }

    /// Shows that this replica lives, learns who else does and who owns what, and acts on it.
    private func beat(at start: ContinuousClock.Instant, maySeize: Bool) async throws {
        let lease = bus.configuration.leaseDuration
        let reply = try await bus.client.evaluate(
            EventBusScripts.memberBeat, keys: [bus.keys.groupMembers(group)],
            arguments: [member, lease.milliseconds])
        let live = Set((reply.array ?? []).compactMap(\.string))
        let owners = try await owners(of: Array(0..<bus.configuration.partitions))
        let plan = lanes.withLock { lanes in
            PartitionAssignment(
                member: member, live: live, owners: owners, held: lanes.held, draining: lanes.draining,
                maySeize: maySeize
            ).plan()
        }
        lose(plan.lost)
        // Counted from before the beat was sent: others may count from no earlier.
        lanes.withLock { $0.trust(until: start + lease) }
        startWorkers()
        readerBell.ring()
        for partition in plan.release {
            logger.info("Giving a partition up", metadata: [LogKey.partition: "\(partition)"])
            lanes.withLock { $0.drain(partition) }
        }
        try await acquire(plan.acquire)
    }

    private func owners(of partitions: [Int]) async throws -> [String?] {
        let replies = try await bus.client.pipeline(partitions.map { ["GET", bus.keys.owner($0, group: group)] })
        return try replies.map { reply in
            if let error = reply.error { throw RedisError(refused: error) }
            return reply.string
        }
    }

    private func acquire(_ acquisitions: [PartitionAssignment.Plan.Acquisition]) async throws {
        guard !acquisitions.isEmpty else { return }
        let replies = try await bus.client.pipeline(
            acquisitions.map { acquisition in
                EventBusScripts.acquire.command(
                    keys: [
                        bus.keys.owner(acquisition.partition, group: group),
                        bus.keys.fence(acquisition.partition, group: group),
                        bus.keys.events(acquisition.partition),
                    ],
                    arguments: [
                        member, bus.configuration.ownerKeyLifetime.milliseconds, acquisition.seen, group,
                    ])
            })
        var gained: [(partition: Int, token: String)] = []
        var gone: Set<String> = []
        for (acquisition, reply) in zip(acquisitions, replies) {
            if let error = reply.error {
                logger.warning("A partition could not be taken", metadata: [LogKey.error: "\(error)"])
            }
            guard reply.error == nil, let token = reply.string else { continue }
            gained.append((acquisition.partition, token))
            if !acquisition.seen.isEmpty { gone.insert(PartitionToken.member(acquisition.seen)) }
        }
        // Before the first read, so that a former owner that is only frozen cannot take another entry.
        try await cutOff(gone)
        guard !gained.isEmpty else { return }
        lanes.withLock { lanes in
            for (partition, token) in gained { lanes.add(partition, token: token) }
        }
        counters.withLock { $0.acquired += gained.count }
        logger.info(
            "Took partitions", metadata: [LogKey.partition: "\(gained.map(\.partition))"])
        readerBell.ring()
    }

    /// Checks on a new reading connection, before its first read, that what this replica holds is still its own.
    func verifyOwnership() async throws {
        let held = lanes.withLock { $0.held }.sorted { $0.key < $1.key }
        let owners = try await owners(of: held.map(\.key))
        lose(zip(held, owners).filter { $0.value != $1 }.map(\.0.key))
    }

    /// Whether `token` is still the owner's.
    func isOwner(_ partition: Int, token: String) async -> Bool {
        let reply = try? await bus.client.send(["GET", bus.keys.owner(partition, group: group)])
        // Without an answer nothing is known; the effects' own check decides.
        guard let reply else { return true }
        return reply.string == token
    }

    private func lose(_ partitions: [Int]) {
        guard !partitions.isEmpty else { return }
        lanes.withLock { lanes in
            for partition in partitions { lanes.remove(partition) }
        }
        counters.withLock { $0.taken += partitions.count }
        logger.warning("Partitions went to another replica", metadata: [LogKey.partition: "\(partitions)"])
    }

    private func renew() async throws {
        let held = lanes.withLock { $0.held }
        let lifetime = bus.configuration.ownerKeyLifetime.milliseconds
        _ = try await bus.client.pipeline(
            held.map { partition, token in
                EventBusScripts.renew.command(
                    keys: [bus.keys.owner(partition, group: group)], arguments: [token, lifetime])
            })
    }

    private func releaseDrained() async throws {
        let drained = lanes.withLock { $0.drained }
        guard !drained.isEmpty else { return }
        let replies = try await bus.client.pipeline(
            drained.map { partition, token in
                EventBusScripts.release.command(
                    keys: [bus.keys.owner(partition, group: group)], arguments: [token])
            })
        if let error = replies.compactMap(\.error).first { throw RedisError(refused: error) }
        lanes.withLock { lanes in
            for partition in drained.keys { lanes.remove(partition) }
        }
    }

    /// - Returns: whether nothing is left to give up.
    private func leave() async throws -> Bool {
        lanes.withLock { lanes in
            for partition in lanes.held.keys where !lanes.draining.contains(partition) { lanes.drain(partition) }
        }
        await wakeReader()
        try await releaseDrained()
        let lease = bus.configuration.leaseDuration
        guard lanes.withLock({ $0.held.isEmpty }) else {
            // Still busy: go on to live.
            let start = ContinuousClock.now
            _ = try await bus.client.evaluate(
                EventBusScripts.memberBeat, keys: [bus.keys.groupMembers(group)],
                arguments: [member, lease.milliseconds])
            lanes.withLock { $0.trust(until: start + lease) }
            return false
        }
        _ = try await bus.client.send(["ZREM", bus.keys.groupMembers(group), member])
        return true
    }
}
