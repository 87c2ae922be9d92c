import Domain
import Redis

/// The part of history a replay goes through.
struct ReplayRange {
    struct Page {
        /// Those that match.
        var events: [StoredEvent]
        /// Where the next page begins; nil at the end.
        var next: StreamPosition?
    }

    let filter: EventFilter
    let start: StreamPosition
    /// The last position, inclusive.
    let end: StreamPosition

    init(_ request: ReplayRequest, now: Timestamp) {
        filter = request.filter
        start = StreamPosition(milliseconds: UInt64(max(0, request.from?.milliseconds ?? 0)))
        let last = min(request.to ?? now, now)
        end = StreamPosition(milliseconds: UInt64(max(0, last.milliseconds)), sequence: .max)
    }

    func partitions(of bus: EventBus) -> [Int] {
        filter.examID.map { [bus.partition(of: $0)] } ?? Array(0..<bus.configuration.partitions)
    }

    func contains(_ stored: StoredEvent) -> Bool {
        // A dead letter brought back was in the history at its first position.
        stored.onlyGroup == nil && stored.position >= start && stored.position <= end && filter.matches(stored.event)
    }

    /// - Parameter count: entries to look at, not all of which need to match.
    /// - Returns: nil when nothing is left.
    func page(
        of bus: EventBus, partition: Int, from position: StreamPosition, count: Int
    ) async throws -> Page? {
        let reply = try await bus.client.send(
            ["XRANGE", bus.keys.events(partition), position.description, end.description, "COUNT", count])
        let entries = reply.array ?? []
        guard let last = entries.last?.array?.first.flatMap(EventCodec.position) else { return nil }
        let events = entries.compactMap { try? EventCodec.decodeSealed($0, partition: partition) }.filter(contains)
        return Page(events: events, next: entries.count < count ? nil : last.successor)
    }
}
