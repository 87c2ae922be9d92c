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
                let start = ContinuousClock.now
                if isStopping.load(ordering: .relaxed) {
                    if try await leave(at: start) { return }
                } else {
                    if !lanes.withLock({ $0.isTrusted(start) }) { trustedSince = nil }
                    let since = trustedSince ?? start
                    trustedSince = since
                    try await balance(at: start, maySeize: start - since >= bus.configuration.leaseDuration)
                }
                if start - renewed >= bus.configuration.ownerKeyLifetime / 4 {
                    try await renew()
                    renewed = start
                }
                try await reportLosses()
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

    /// Shows that this replica lives.
    ///
    /// - Returns: the members with a recent beat; those that are leaving with a `-` before their name.
    private func beat(leaving: Bool) async throws -> [String] {
        let reply = try await bus.client.evaluate(
            EventBusScripts.memberBeat, keys: [bus.keys.groupMembers(group)],
            arguments: [member, bus.configuration.leaseDuration.milliseconds, leaving ? 1 : 0])
        return (reply.array ?? []).compactMap(\.string)
    }

    /// Learns who lives and who owns what, and acts on it.
    private func balance(at start: ContinuousClock.Instant, maySeize: Bool) async throws {
        let beating = try await beat(leaving: false)
        let leaving = Set(beating.filter { $0.hasPrefix("-") }.map { String($0.dropFirst()) })
        let live = leaving.union(beating.filter { !$0.hasPrefix("-") })
        let owners = try await owners(of: Array(0..<bus.configuration.partitions))
        let plan = lanes.withLock { lanes in
            PartitionAssignment(
                member: member, live: live, leaving: leaving, owners: owners, held: lanes.held,
                draining: lanes.draining, maySeize: maySeize
            ).plan()
        }
        lose(plan.lost)
        // Counted from before the beat was sent: others may count from no earlier.
        lanes.withLock { $0.trust(until: start + bus.configuration.leaseDuration) }
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
                        bus.keys.readers(acquisition.partition, group: group),
                        bus.keys.groups(acquisition.partition),
                    ],
                    arguments: [
                        member, bus.configuration.ownerKeyLifetime.milliseconds, acquisition.seen, group,
                        start.rawValue, bus.configuration.groupLifetime.milliseconds,
                    ])
            })
        var gained: [(partition: Int, token: String)] = []
        var gone: [Int: Set<String>] = [:]
        for (acquisition, reply) in zip(acquisitions, replies) {
            if let error = reply.error {
                logger.warning("A partition could not be taken", metadata: [LogKey.error: "\(error)"])
            }
            guard reply.error == nil, let result = reply.array?.compactMap(\.string), let token = result.first
            else { continue }
            gained.append((acquisition.partition, token))
            gone[acquisition.partition] = Set(result.dropFirst())
            if !acquisition.seen.isEmpty {
                gone[acquisition.partition]?.insert(PartitionToken.member(acquisition.seen))
            }
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

    /// Whether `token` is still the owner's; nil when Redis does not tell, and the effects' own check decides.
    func owns(_ partition: Int, token: String) async -> Bool? {
        let reply = try? await bus.client.send(["GET", bus.keys.owner(partition, group: group)])
        return reply.map { $0.string == token }
    }

    private func lose(_ partitions: [Int]) {
        guard !partitions.isEmpty else { return }
        lanes.withLock { lanes in
            for partition in partitions { lanes.remove(partition) }
        }
        counters.withLock { $0.taken += partitions.count }
        logger.warning("Partitions went to another replica", metadata: [LogKey.partition: "\(partitions)"])
    }

    private func reportLosses() async throws {
        let losses = lossesToReport.withLock { losses in
            defer { losses = [:] }
            return losses
        }
        guard !losses.isEmpty else { return }
        _ = try await bus.client.pipeline(
            losses.map { partition, count in ["HINCRBY", bus.keys.losses(partition), group, count] })
    }

    private func renew() async throws {
        let held = lanes.withLock { $0.held }
        let lifetime = bus.configuration.ownerKeyLifetime.milliseconds
        _ = try await bus.client.pipeline(
            held.map { partition, token in
                EventBusScripts.renew.command(
                    keys: [bus.keys.owner(partition, group: group), bus.keys.groups(partition)],
                    arguments: [token, lifetime, group, bus.configuration.groupLifetime.milliseconds])
            })
    }

    private func releaseDrained() async throws {
        let drained = lanes.withLock { $0.drained }
        guard !drained.isEmpty else { return }
        let replies = try await bus.client.pipeline(
            drained.map { partition, token in
                EventBusScripts.release.command(
                    keys: [bus.keys.owner(partition, group: group), bus.keys.readers(partition, group: group)],
                    arguments: [token, member])
            })
        if let error = replies.compactMap(\.error).first { throw RedisError(refused: error) }
        lanes.withLock { lanes in
            for partition in drained.keys { lanes.remove(partition) }
        }
    }

    /// - Returns: whether nothing is left to give up.
    private func leave(at start: ContinuousClock.Instant) async throws -> Bool {
        lanes.withLock { lanes in
            for partition in lanes.held.keys where !lanes.draining.contains(partition) { lanes.drain(partition) }
        }
        await wakeReader()
        try await releaseDrained()
        if lanes.withLock({ $0.held.isEmpty }) {
            _ = try await bus.client.send(["ZREM", bus.keys.groupMembers(group), member, "-\(member)"])
            return true
        }
        // Still busy: live on, so that nobody takes what is being handled, but without a share of the partitions.
        _ = try await beat(leaving: true)
        lanes.withLock { $0.trust(until: start + bus.configuration.leaseDuration) }
        return false
    }
}
