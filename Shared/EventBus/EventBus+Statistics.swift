import Redis

extension EventBus {
    /// Counting stops here when Redis cannot tell a group's lag (as after trimming).
    private static let countLimit = 10_000

    package func statistics() async throws -> [PartitionStatistics] {
        let time = try await client.send(["TIME"])
        let now = Double(time.array?.first?.int ?? 0) * 1000 + Double(time.array?.last?.int ?? 0) / 1000
        var statistics: [PartitionStatistics] = []
        for partition in 0..<configuration.partitions {
            let stream = keys.events(partition)
            let replies = try await client.pipeline([
                ["XLEN", stream], ["XLEN", keys.dead(partition)], ["XINFO", "GROUPS", stream],
                ["MEMORY", "USAGE", stream], ["MEMORY", "USAGE", keys.aside(partition)],
                ["HGETALL", keys.groups(partition)], ["HGETALL", keys.losses(partition)],
            ])
            func values(_ reply: RESPValue) -> [String: Int] {
                Dictionary((reply.fields ?? []).map { ($0.name, $0.value.int ?? 0) }) { first, _ in first }
            }
            let (liveUntil, losses) = (values(replies[5]), values(replies[6]))
            var groups: [PartitionStatistics.Group] = []
            for entry in replies[2].array ?? [] {
                if var group = try await group(entry, partition: partition, now: now) {
                    group.lost = losses[group.group] ?? 0
                    group.liveSeconds = liveUntil[group.group].map { (Double($0) - now) / 1000 }
                    groups.append(group)
                }
            }
            statistics.append(
                PartitionStatistics(
                    partition: partition, length: replies[0].int ?? 0, deadLetters: replies[1].int ?? 0,
                    memory: (replies[3].int ?? 0) + (replies[4].int ?? 0), groups: groups))
        }
        return statistics
    }

    private func group(_ entry: RESPValue, partition: Int, now: Double) async throws -> PartitionStatistics.Group? {
        let fields = entry.fields ?? []
        func field(_ name: String) -> RESPValue? { fields.first { $0.name == name }?.value }
        guard let name = field("name")?.string, let delivered = field("last-delivered-id")?.string else { return nil }
        let stream = keys.events(partition)
        let replies = try await client.pipeline([
            ["GET", keys.owner(partition, group: name)], ["XPENDING", stream, name],
            ["XRANGE", stream, "(\(delivered)", "+", "COUNT", 1],
        ])
        var undelivered = field("lag")?.int
        if replies[2].array?.isEmpty == true {
            // After a restart Redis 7.0 believes a group has still to get what it got before.
            undelivered = 0
        } else if undelivered == nil {
            let rest = try await client.send(["XRANGE", stream, "(\(delivered)", "+", "COUNT", Self.countLimit])
            undelivered = rest.array?.count
        }
        let pending = replies[1].array
        let oldest =
            pending?.dropFirst().first?.string ?? replies[2].array?.first?.array?.first?.string
        return PartitionStatistics.Group(
            group: name, owner: replies[0].string.map(PartitionToken.replica),
            lag: (undelivered ?? 0) + (pending?.first?.int ?? 0),
            oldestPendingSeconds: oldest.flatMap { StreamPosition($0) }
                .map { max(0, now - Double($0.milliseconds)) / 1000 },
            lost: 0, liveSeconds: nil)
    }
}
