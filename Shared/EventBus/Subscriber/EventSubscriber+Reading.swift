import DequeModule
import Domain
import Logging
import Redis
import Synchronization

/// One connection that blocks on all owned partitions at once.
extension EventSubscriber {
    /// The single consumer of every group: what an owner leaves pending is the next owner's.
    private static let consumer = "owner"
    /// Entries of a read that came too early.
    private static let smallRead = 256
    /// Entries of a read that came too early even at a moderate rate.
    private static let fewEntries = 32
    /// How long new entries gather; four times as long when there are many.
    private static let gathering = Duration.microseconds(500)

    private var readerName: String { Self.readerName(bus.keys, group: group, member: member) }

    private static func readerName(_ keys: RedisKeys, group: String, member: String) -> String {
        "\(keys.prefix):\(group):\(member)"
    }

    func readLoop() async {
        while !Task.isCancelled {
            do {
                try await bus.client.withDedicatedConnection { connection in
                    let identity = try await connection.send(["CLIENT", "ID"]).int ?? 0
                    // The name first, the check second: whoever takes a partition away from a frozen owner cuts off
                    // connections of that name, so a read can only follow a check that still holds.
                    _ = try await connection.send(["CLIENT", "SETNAME", readerName])
                    // A read given up on may still be on its way to Redis over an older connection. It would be
                    // served with entries that nobody then sees.
                    try await closeConnections(of: [member], except: identity)
                    lanes.withLock { $0.endReads() }
                    try await verifyOwnership()
                    readerConnection.store(identity, ordering: .relaxed)
                    defer { readerConnection.store(0, ordering: .relaxed) }
                    do {
                        try await read(connection)
                    } catch {
                        lanes.withLock { $0.readWasLost() }
                        throw error
                    }
                }
            } catch {
                if Task.isCancelled { return }
                logger.warning("Reading was interrupted", metadata: [LogKey.error: "\(error)"])
                if (error as? RedisError)?.code == .refused("NOGROUP") { await restoreGroups() }
                ownershipBell.ring()
                try? await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    /// Reads until cancelled. While a backlog lasts, two reads are on their way, so that Redis gathers the entries of
    /// one while those of the other are put into lanes; when there is none, new events gather for a moment if they come
    /// thick and fast, since a read costs Redis and this process as much as many events.
    private func read(_ connection: RedisConnection) async throws {
        var pending: Deque<(read: Read, reply: RedisConnection.PendingReply)> = []
        while !Task.isCancelled {
            let start = ContinuousClock.now
            if pending.isEmpty {
                guard let read = await begin() else { continue }
                pending.append((read, send(read, connection, waits: true)))
            }
            let (read, reply) = pending.removeFirst()
            let streams = streams(of: try await reply.value(), read)
            let isBacklog =
                !read.isRecovering && streams.contains { $0.entries.count >= bus.configuration.batchSize }
            while isBacklog, pending.count < 2, let next = beginIfPossible() {
                // One that waited for entries would hold up those behind it.
                pending.append((next, send(next, connection, waits: false)))
            }
            try await accept(streams, of: read)
            let hasDrained = lanes.withLock { lanes in
                lanes.endRead()
                return lanes.hasDrained
            }
            if hasDrained { ownershipBell.ring() }
            let count = streams.reduce(0) { $0 + $1.entries.count }
            guard pending.isEmpty, (1..<Self.smallRead).contains(count), start.duration(to: .now) < Self.gathering * 2
            else { continue }
            try? await Task.sleep(for: count < Self.fewEntries ? Self.gathering : Self.gathering * 4)
        }
    }

    private typealias Source = (partition: Int, token: String, phase: LaneStateMachine.Phase)

    /// The partitions of one command.
    private struct Read {
        let sources: [Source]
        /// Whether it reads what a former owner left pending, and not new entries.
        let isRecovering: Bool

        init(_ sources: [Source]) {
            // A page of a former owner's entries comes at once; new ones are read when that is done.
            isRecovering = sources.contains { $0.phase != .live }
            self.sources = isRecovering ? sources.filter { $0.phase != .live } : sources
        }
    }

    /// Waits when there is nothing to read or no room for it, and then returns nil.
    private func begin() async -> Read? {
        let limit = bus.configuration.maxBufferedEvents
        let hasRoom = lanes.withLock { lanes in
            if lanes.unacknowledged >= limit { lanes.shed(.now) }
            return lanes.unacknowledged < limit
        }
        if hasRoom, let read = beginIfPossible() { return read }
        // An exam may come to be stuck without a sign.
        await hasRoom ? readerBell.wait() : readerBell.wait(for: .seconds(1))
        return nil
    }

    private func beginIfPossible() -> Read? {
        let sources = lanes.withLock { lanes in
            lanes.unacknowledged < bus.configuration.maxBufferedEvents && lanes.isTrusted(.now) ? lanes.beginRead() : []
        }
        return sources.isEmpty ? nil : Read(sources)
    }

    private func send(_ read: Read, _ connection: RedisConnection, waits: Bool) -> RedisConnection.PendingReply {
        // A page of pending entries never blocks.
        let blockTime = waits && !read.isRecovering ? bus.configuration.blockDuration : .zero
        return connection.begin(readCommand(read.sources, blockingFor: blockTime), blockingFor: blockTime)
    }

    private func streams(of reply: RESPValue, _ read: Read) -> [(source: Source, entries: [RESPValue])] {
        let byKey = Dictionary(uniqueKeysWithValues: read.sources.map { (bus.keys.events($0.partition), $0) })
        return (reply.array ?? []).compactMap { stream in
            guard let parts = stream.array, parts.count == 2, let source = parts[0].string.flatMap({ byKey[$0] }) else {
                return nil
            }
            return (source, parts[1].array ?? [])
        }
    }

    private func accept(_ streams: [(source: Source, entries: [RESPValue])], of read: Read) async throws {
        var deliveries: [Int: [StreamPosition: Int]] = [:]
        if read.isRecovering {
            for (source, entries) in streams {
                deliveries[source.partition] = try await self.deliveries(of: entries, source.partition)
            }
        }
        // A process that was frozen meanwhile must look first whether it still owns anything. What it does, it reads
        // again.
        guard lanes.withLock({ $0.isTrusted(.now) }) else { throw EventBusError(.staleOwner, "The lease has run out") }
        for (source, entries) in streams {
            accept(entries, from: source, deliveries: deliveries[source.partition] ?? [:])
            startWorkers()
        }
    }

    /// - Parameter blockTime: Zero to get an empty reply when there is nothing to read.
    private func readCommand(_ sources: [Source], blockingFor blockTime: Duration) -> RedisCommand {
        var command: RedisCommand = [
            "XREADGROUP", "GROUP", group, Self.consumer, "COUNT", bus.configuration.batchSize,
        ]
        if blockTime > .zero {
            // Redis takes 0 for "forever".
            command.append("BLOCK")
            command.append(max(1, blockTime.milliseconds))
        }
        command.append("STREAMS")
        for source in sources { command.append(bus.keys.events(source.partition)) }
        for source in sources {
            if case .recovering(let after) = source.phase {
                command.append(after.description)
            } else {
                command.append(">")
            }
        }
        return command
    }

    private func accept(
        _ entries: [RESPValue], from source: Source,
        deliveries: [StreamPosition: Int]
    ) {
        var lost = 0
        var skipped = 0
        var last: StreamPosition?
        let decoded = entries.compactMap { entry -> (StreamPosition, LaneStateMachine.Item?)? in
            guard let parts = entry.array, parts.count == 2, let position = EventCodec.position(parts[0]) else {
                return nil
            }
            last = position
            guard let fields = parts[1].array else {
                // Trimmed while it was pending.
                lost += 1
                return (position, nil)
            }
            let content = Result { () throws(EventBusError) in
                try EventCodec.decode(position: position, fields: fields, partition: source.partition)
            }
            guard case .success(let stored) = content else {
                return (position, LaneStateMachine.Item(position: position, content: content))
            }
            guard wants(stored) else { return (position, nil) }
            let count = deliveries.isEmpty ? 1 : deliveries[position] ?? 1
            return (position, LaneStateMachine.Item(position: position, content: content, deliveries: count))
        }
        lanes.withLock { lanes in
            for (position, item) in decoded {
                if let item {
                    let key = (try? item.content.get())?.event.partitionKey ?? ""
                    lanes.deliver(item, key: key, partition: source.partition, token: source.token)
                } else {
                    skipped += 1
                    lanes.skip(position, partition: source.partition, token: source.token)
                }
            }
            lanes.accepted(source.partition, token: source.token, through: last)
        }
        if skipped > 0 { acknowledgementBell.ring() }
        counters.withLock {
            $0.lost += lost
            $0.skipped += skipped - lost
        }
        if lost > 0 {
            lossesToReport.withLock { $0[source.partition, default: 0] += lost }
            ownershipBell.ring()
            logger.error(
                "Events were trimmed before they were handled",
                metadata: [LogKey.partition: "\(source.partition)", LogKey.count: "\(lost)"])
        }
    }

    func wants(_ stored: StoredEvent) -> Bool {
        (stored.onlyGroup == nil || stored.onlyGroup == group) && !handlers.handlers(for: stored.event.type).isEmpty
    }

    /// Somebody removed the group or the streams (`FLUSHALL`): begins again with what there is.
    private func restoreGroups() async {
        let held = lanes.withLock { $0.held.keys.sorted() }
        do {
            try await bus.prepare()
            // Groups that exist answer BUSYGROUP. One that began late goes on where it was, all others begin again.
            let positions = lanes.withLock { lanes in held.map { lanes.lastAccepted($0) } }
            _ = try await bus.client.pipeline(
                zip(held, positions).map { partition, last in
                    let from = start == .beginning ? "0" : last == .zero ? "$" : last.description
                    return ["XGROUP", "CREATE", bus.keys.events(partition), group, from, "MKSTREAM"]
                })
        } catch {
            logger.warning("The group could not be restored", metadata: [LogKey.error: "\(error)"])
        }
    }

    /// Ends a blocked read whose set of partitions is no longer the right one.
    func wakeReader() async {
        readerBell.ring()
        for _ in 0..<20 {
            guard lanes.withLock({ $0.isReadOutdated }) else { return }
            let identity = readerConnection.load(ordering: .relaxed)
            guard identity != 0 else { return }
            let reply = try? await bus.client.send(["CLIENT", "UNBLOCK", identity])
            if reply?.int == 1 { return }
            // The read was between two states: not blocked yet, or done already.
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Closes the reading connections of those who may still be reading a partition that is this replica's now. One
    /// that is only frozen, or that Redis has not noticed to be dead, would still be served with new entries, which the
    /// new owner would then never see.
    func cutOff(_ members: [Int: Set<String>]) async throws {
        let members = members.mapValues { $0.subtracting([member]) }.filter { !$0.value.isEmpty }
        guard !members.isEmpty else { return }
        try await closeConnections(of: members.values.reduce(into: []) { $0.formUnion($1) })
        _ = try await bus.client.pipeline(
            members.map { partition, members in
                RedisCommand("SREM", arguments: [bus.keys.readers(partition, group: group)] + Array(members))
            })
    }

    private func closeConnections(of members: Set<String>, except own: Int? = nil) async throws {
        let names = Set(members.map { Self.readerName(bus.keys, group: group, member: $0) })
        let list = try await bus.client.send(["CLIENT", "LIST", "TYPE", "normal"]).string ?? ""
        for line in list.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard let name = fields.first(where: { $0.hasPrefix("name=") })?.dropFirst(5), names.contains(String(name)),
                let identity = fields.first(where: { $0.hasPrefix("id=") })?.dropFirst(3), Int(identity) != own
            else { continue }
            _ = try await bus.client.send(["CLIENT", "KILL", "ID", identity])
        }
    }
}
