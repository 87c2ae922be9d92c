package import Domain
import Redis

extension EventBus {
    /// Appends `event` to its partition. Concurrent calls share writes to Redis. See `EventPublisher` for a publisher
    /// that waits while Redis is away and repeats safely.
    ///
    /// - Parameter deduplicationKey: Calls with the same key and partition append one event within
    ///   `deduplicationWindow`; give one when the call may be repeated after an unknown outcome.
    /// - Returns: where the event is; with a repeated key, where the first one is.
    /// - Throws: `RedisError`; of code `.outcomeUnknown` or `.timedOut` when it may have been appended. `EventBusError`
    ///   of code `.invalidArgument` when the data is larger than `EventCodec.maxData`.
    @discardableResult
    package func publish(_ event: EventEnvelope, deduplicationKey: String? = nil) async throws -> StreamPosition {
        try position(try await client.send(try append(event, deduplicationKey: deduplicationKey)))
    }

    /// Appends `events` in their order, in one write. Those of one partition keep their order; a failure may leave
    /// some appended and others not.
    ///
    /// - Returns: a position for each event.
    /// - Throws: `RedisError` of the first event that failed; `EventBusError` as for one.
    @discardableResult
    package func publish(_ events: [EventEnvelope]) async throws -> [StreamPosition] {
        guard !events.isEmpty else { return [] }
        let replies = try await client.pipeline(try events.map { try append($0) })
        return try replies.map { reply in
            if let error = reply.error { throw RedisError(refused: error) }
            return try position(reply)
        }
    }

    /// The one command that appends an event.
    func append(_ event: EventEnvelope, deduplicationKey: String? = nil) throws -> RedisCommand {
        guard event.data.count <= EventCodec.maxData else {
            throw EventBusError(
                .invalidArgument, "An event may have \(EventCodec.maxData) bytes of data, not \(event.data.count)")
        }
        let partition = partition(of: event)
        let stream = keys.events(partition)
        if deduplicationKey == nil, event.data.count <= min(configuration.compressAbove, EventCodec.largeData) {
            return EventCodec.append(event, stream: stream, maxLength: configuration.maxLength)
        }
        let encoded = EncodedEvent(event, compressAbove: configuration.compressAbove)
        let fields = EventCodec.flat(encoded.fields)
        let window = configuration.deduplicationWindow.milliseconds
        let record = deduplicationKey.map { keys.published(partition, deduplicationKey: $0) }
        if let data = encoded.aside {
            // With its source, which is nothing beside the data: a script that Redis has forgotten is sent again after
            // the rest of a pipeline, and the events of an exam would change places.
            return RedisCommand(
                "EVAL",
                arguments: [
                    EventBusScripts.publishLarge.source, 3, stream, keys.aside(partition),
                    record ?? keys.published(partition, deduplicationKey: ""), record == nil ? 0 : window,
                    configuration.maxLength, data,
                ] + fields)
        }
        if let record {
            return EventBusScripts.publish.command(
                keys: [stream, record], arguments: [window, configuration.maxLength] + fields)
        }
        return RedisCommand("XADD", arguments: [stream, "MAXLEN", "~", configuration.maxLength, "*"] + fields)
    }

    func position(_ reply: RESPValue) throws(EventBusError) -> StreamPosition {
        guard let position = EventCodec.position(reply) else {
            throw EventBusError(.unexpectedReply, "XADD answered without a position")
        }
        return position
    }
}
