package import Domain
import Redis

/// A part of what lies between two positions in each of several partitions.
package struct EventRange: Sendable {
    /// By position, those of a partition in their order.
    package var events: [StoredEvent]
    /// How far each partition has been looked at: what is behind it has not.
    package var reached: [Int: StreamPosition]
    /// Entries looked at.
    package var scanned: Int

    package init(events: [StoredEvent], reached: [Int: StreamPosition], scanned: Int) {
        self.events = events
        self.reached = reached
        self.scanned = scanned
    }
}

extension EventBus {
    /// Reads events behind `start`, up to and with `end`, of the partitions `start` names.
    ///
    /// - Parameters:
    ///   - count: entries looked at in each partition, at least 1.
    ///   - matches: which of them are wanted; only their data is read.
    /// - Throws: `RedisError`.
    package func range(
        after start: [Int: StreamPosition], upTo end: [Int: StreamPosition], count: Int,
        where matches: @Sendable (EventEnvelope) -> Bool
    ) async throws -> EventRange {
        let partitions = start.filter { partition, position in position < end[partition] ?? .zero }.keys.sorted()
        let replies = try await client.pipeline(
            partitions.map { partition in
                [
                    "XRANGE", keys.events(partition), (start[partition] ?? .zero).successor.description,
                    (end[partition] ?? .zero).description, "COUNT", count,
                ]
            })
        var range = EventRange(events: [], reached: start, scanned: 0)
        for (partition, reply) in zip(partitions, replies) {
            if let error = reply.error { throw RedisError(refused: error) }
            let entries = reply.array ?? []
            range.scanned += entries.count
            let isWhole = entries.count < count
            range.reached[partition] =
                isWhole ? end[partition] : entries.last?.array?.first.flatMap(EventCodec.position)
            for entry in entries {
                guard let stored = try? EventCodec.decodeSealed(entry, partition: partition), stored.onlyGroup == nil,
                    matches(stored.event), let opened = try await readable(stored)
                else { continue }
                range.events.append(opened)
            }
        }
        range.events.sort { ($0.position, $0.partition) < ($1.position, $1.partition) }
        return range
    }

    /// The event at a position; nil when it is kept no longer.
    ///
    /// - Throws: `RedisError`; `EventBusError` for an entry that cannot be read.
    package func event(at position: StreamPosition, partition: Int) async throws -> StoredEvent? {
        let place = position.description
        let reply = try await client.send(["XRANGE", keys.events(partition), place, place])
        guard let entry = reply.array?.first else { return nil }
        return try await readable(EventCodec.decodeSealed(entry, partition: partition))
    }
}
