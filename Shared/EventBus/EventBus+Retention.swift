import Redis

/// What trimming did.
package struct TrimReport: Sendable, Equatable {
    package var removed = 0
    /// Events removed before some group had handled them: beyond the greatest length, or of a group forgotten. Each is
    /// counted once a group.
    package var lost = 0
    /// Groups without a sign of life for `groupLifetime`; they hold nothing up any more.
    package var forgotten: [String] = []
}

extension EventBus {
    /// Removes events that are older than the retention and that no live group needs any more, and the oldest ones
    /// beyond the greatest length. Cheap enough for every few minutes; harmless when several replicas do it.
    package func trim() async throws -> TrimReport {
        var report = TrimReport()
        var forgotten: Set<String> = []
        for partition in 0..<configuration.partitions {
            let reply = try await client.evaluate(
                EventBusScripts.trim,
                keys: [keys.events(partition), keys.aside(partition), keys.groups(partition), keys.losses(partition)],
                arguments: [
                    configuration.retention.milliseconds, configuration.maxLength,
                    configuration.groupLifetime.milliseconds,
                ])
            let parts = reply.array ?? []
            guard parts.count == 3 else { continue }
            report.removed += parts[0].int ?? 0
            report.lost += parts[1].int ?? 0
            forgotten.formUnion((parts[2].array ?? []).compactMap(\.string))
        }
        report.forgotten = forgotten.sorted()
        return report
    }
}

extension RedisKeys {
    /// Until when each group keeps what it needs from being trimmed, in milliseconds of the server's clock; renewed by
    /// the owners of its partitions.
    func groups(_ partition: Int) -> String { record(partition, "groups") }

    /// Events each group lost to trimming.
    func losses(_ partition: Int) -> String { record(partition, "losses") }
}
