package import Domain
package import Redis

/// The system's event streams: an exam's events, of whatever type, are in one partition and keep their order there.
package final class EventBus: Sendable {
    package let configuration: EventBusConfiguration
    package let keys: RedisKeys
    /// The process that publishes: `/zhiyue/gateway`.
    package let source: String
    let client: RedisClient

    package init(client: RedisClient, keys: RedisKeys, configuration: EventBusConfiguration, source: String) {
        self.client = client
        self.keys = keys
        self.configuration = configuration
        self.source = source
    }

    /// Records the number of partitions at the first start of a system and checks it at every later one. Repeated
    /// calls are harmless.
    ///
    /// - Throws: `EventBusError` of code `.partitionCountMismatch` or `.invalidArgument`; `RedisError`.
    package func prepare() async throws {
        try configuration.validate()
        let key = keys.global("partitions")
        var reply = try await client.send(["GET", key])
        // Read first: a full Redis takes no SET, and this is all that a start would need it for.
        if reply.isNull {
            _ = try await client.send(["SET", key, configuration.partitions, "NX"])
            reply = try await client.send(["GET", key])
        }
        guard let recorded = reply.int else {
            throw EventBusError(.unexpectedReply, "The key \(key) holds no number of partitions")
        }
        guard recorded == configuration.partitions else {
            throw EventBusError(
                .partitionCountMismatch,
                """
                EVENT_PARTITIONS is \(configuration.partitions), but this system was started with \(recorded), and \
                its exams are spread over that many. Set EVENT_PARTITIONS=\(recorded), or use another REDIS_KEY_PREFIX.
                """)
        }
    }

    package func partition(of examID: ExamID) -> Int {
        PartitionHash.partition(of: examID.rawValue, count: configuration.partitions)
    }

    package func partition(of event: EventEnvelope) -> Int {
        PartitionHash.partition(of: event.partitionKey, count: configuration.partitions)
    }

    /// The guard of a handler's effect about `event`.
    func effectGuard(for event: StoredEvent, group: String, handler: String, fence: String) -> EffectGuard {
        let subject = event.event.examID.map { "exam:\($0)" } ?? "type:\(event.event.type)"
        return EffectGuard(
            ownerKey: keys.owner(event.partition, group: group),
            appliedKey: keys.record(event.partition, "\(subject):applied"), fence: fence,
            field: "\(group)/\(handler)", position: event.position)
    }
}

extension RedisKeys {
    /// Counts the fencing tokens of a partition and group.
    func fence(_ partition: Int, group: String) -> String {
        record(partition, "fence:\(group)")
    }

    /// Tries of events that did not end: a hash of `<position> <replica>`.
    func interrupted(_ partition: Int, group: String) -> String {
        record(partition, "interrupted:\(group)")
    }

    /// Replicas of a group that may have a read of the partition on its way.
    func readers(_ partition: Int, group: String) -> String {
        record(partition, "readers:\(group)")
    }

    /// Where an event published under a deduplication key is.
    func published(_ partition: Int, deduplicationKey: String) -> String {
        record(partition, "published:\(deduplicationKey)")
    }
}
