import Domain
import Redis

extension EventBus {
    /// Entries a single call looks at.
    private static let scanLimit = 50_000

    /// Bytes of data in a page, about.
    private static let pageBytes = 16 << 20

    /// What happened, oldest first, page by page. Entries that are no events, or whose data is damaged, are skipped.
    ///
    /// - Throws: `RedisError`; `EventBusError` of code `.invalidArgument` for a wrong limit.
    package func history(_ query: EventQuery) async throws -> EventPage {
        guard (1...10_000).contains(query.limit) else {
            throw EventBusError(.invalidArgument, "limit must be 1 to 10000, not \(query.limit)")
        }
        let partitions = query.filter.examID.map { [partition(of: $0)] } ?? Array(0..<configuration.partitions)
        var merge = HistoryMerge(partitions: partitions, query: query)
        var events: [StoredEvent] = []
        var bytes = 0
        var scanned = 0
        while true {
            let hungry = merge.hungry
            if !hungry.isEmpty {
                let chunk = max(16, min(1000, query.limit * 2 / partitions.count))
                let replies = try await client.pipeline(
                    hungry.map {
                        ["XRANGE", keys.events($0.partition), $0.start.description, merge.end, "COUNT", chunk]
                    }
                )
                for (source, reply) in zip(hungry, replies) {
                    if let error = reply.error { throw RedisError(refused: error) }
                    merge.feed(source.partition, reply.array ?? [], complete: (reply.array?.count ?? 0) < chunk)
                }
            }
            while let entry = merge.next() {
                scanned += 1
                if let stored = entry.event, stored.onlyGroup == nil, query.filter.matches(stored.event),
                    let opened = try await readable(stored)
                {
                    events.append(opened)
                    bytes += opened.event.data.count
                }
                if events.count == query.limit || scanned >= Self.scanLimit || bytes >= Self.pageBytes {
                    return EventPage(events: events, next: merge.isFinished ? nil : entry.cursor)
                }
            }
            if merge.isFinished { return EventPage(events: events, next: nil) }
        }
    }
}

extension EventBus {
    /// - Returns: nil when the data is damaged or gone.
    func readable(_ stored: StoredEvent) async throws -> StoredEvent? {
        guard stored.isSealed else { return stored }
        do {
            return try await opened(stored)
        } catch is EventBusError {
            return nil
        }
    }
}

/// Merges the partitions' entries by position. Pure: it is fed with replies.
struct HistoryMerge {
    struct Entry {
        let cursor: EventCursor
        /// nil when the entry is no event.
        let event: StoredEvent?
    }

    private struct Source {
        let partition: Int
        var start: StreamPosition
        /// Newest first, so that taking the oldest is cheap.
        var entries: [Entry] = []
        var complete = false
    }

    private var sources: [Source]
    /// The last position of XRANGE.
    let end: String

    init(partitions: [Int], query: EventQuery) {
        let from = query.from.map { StreamPosition(milliseconds: UInt64(max(0, $0.milliseconds))) } ?? .zero
        // Without a sequence, XRANGE takes the whole millisecond.
        end = query.to.map { String(max(0, $0.milliseconds)) } ?? "+"
        sources = partitions.map { partition in
            Source(partition: partition, start: max(from, query.cursor?.start(in: partition) ?? .zero))
        }
    }

    var isFinished: Bool { sources.allSatisfy { $0.complete && $0.entries.isEmpty } }

    /// What must be read before `next()` can tell the oldest entry.
    var hungry: [(partition: Int, start: StreamPosition)] {
        sources.filter { !$0.complete && $0.entries.isEmpty }.map { ($0.partition, $0.start) }
    }

    mutating func feed(_ partition: Int, _ entries: [RESPValue], complete: Bool) {
        guard let index = sources.firstIndex(where: { $0.partition == partition }) else { return }
        sources[index].complete = complete
        for entry in entries.reversed() {
            guard let position = entry.array?.first.flatMap(EventCodec.position) else { continue }
            sources[index].entries.append(
                Entry(
                    cursor: EventCursor(position: position, partition: partition),
                    event: try? EventCodec.decodeSealed(entry, partition: partition)))
        }
        if let last = sources[index].entries.first { sources[index].start = last.cursor.position.successor }
    }

    /// - Returns: the oldest entry; nil when there is none or something must be read first.
    mutating func next() -> Entry? {
        var oldest: Int?
        for index in sources.indices {
            guard let candidate = sources[index].entries.last else {
                if sources[index].complete { continue }
                return nil
            }
            if let best = oldest.flatMap({ sources[$0].entries.last }),
                (best.cursor.position, best.cursor.partition)
                    <= (candidate.cursor.position, candidate.cursor.partition)
            {
                continue
            }
            oldest = index
        }
        return oldest.flatMap { sources[$0].entries.popLast() }
    }
}
