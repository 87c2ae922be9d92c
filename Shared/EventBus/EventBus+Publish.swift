package import Domain
import Redis

extension EventBus {
    /// Appends `event` to its partition. Concurrent calls share writes to Redis.
    ///
    /// - Parameter deduplicationKey: Calls with the same key and partition append one event within
    ///   `deduplicationWindow`; give one when the call may be repeated after an unknown outcome.
    /// - Returns: where the event is; with a repeated key, where the first one is.
    /// - Throws: `RedisError`; of code `.outcomeUnknown` or `.timedOut` when it may have been appended.
    @discardableResult
    package func publish(_ event: EventEnvelope, deduplicationKey: String? = nil) async throws -> StreamPosition {
        let partition = partition(of: event)
        let reply: RESPValue
        if let deduplicationKey {
            let limits: [any RedisArgument] = [
                configuration.deduplicationWindow.milliseconds, configuration.maxLength,
            ]
            reply = try await client.evaluate(
                EventBusScripts.publish,
                keys: [keys.events(partition), keys.published(partition, deduplicationKey: deduplicationKey)],
                arguments: limits + EventCodec.flat(EventCodec.fields(event)))
        } else {
            reply = try await client.send(append(event, to: partition))
        }
        return try position(reply)
    }

    /// Appends `events` in their order, in one write. Those of one partition keep their order; a failure may leave
    /// some appended and others not.
    ///
    /// - Returns: a position for each event.
    /// - Throws: `RedisError` of the first event that failed.
    @discardableResult
    package func publish(_ events: [EventEnvelope]) async throws -> [StreamPosition] {
        guard !events.isEmpty else { return [] }
        let replies = try await client.pipeline(events.map { append($0, to: partition(of: $0)) })
        return try replies.map { reply in
            if let error = reply.error { throw RedisError(refused: error) }
            return try position(reply)
        }
    }

    private func append(_ event: EventEnvelope, to partition: Int) -> RedisCommand {
        RedisCommand(
            "XADD",
            arguments: [keys.events(partition), "MAXLEN", "~", configuration.maxLength, "*"]
                + EventCodec.flat(EventCodec.fields(event)))
    }

    private func position(_ reply: RESPValue) throws -> StreamPosition {
        guard let position = EventCodec.position(reply) else {
            throw EventBusError(.unexpectedReply, "XADD answered without a position")
        }
        return position
    }
}
