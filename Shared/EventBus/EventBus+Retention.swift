import Redis

extension EventBus {
    /// Removes events that are older than the retention and that no group needs any more, and the oldest ones beyond
    /// the greatest length. Cheap enough for every few minutes; harmless when several replicas do it.
    ///
    /// - Returns: how many events were removed.
    @discardableResult
    package func trim() async throws -> Int {
        var removed = 0
        for partition in 0..<configuration.partitions {
            let reply = try await client.evaluate(
                EventBusScripts.trim, keys: [keys.events(partition)],
                arguments: [configuration.retention.milliseconds, configuration.maxLength])
            removed += reply.int ?? 0
        }
        return removed
    }
}
