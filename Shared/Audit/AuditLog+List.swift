internal import Domain
internal import EventBus
internal import Redis

extension AuditLog {
    /// Entries a single call looks at.
    private static let scanLimit = 50_000

    /// What was done, page by page.
    ///
    /// - Throws: `RedisError`; `EventBusError` of code `.invalidArgument` for a wrong limit.
    package func list(_ query: AuditQuery) async throws -> AuditPage {
        guard (1...10_000).contains(query.limit) else {
            throw EventBusError(.invalidArgument, "limit must be 1 to 10000, not \(query.limit)")
        }
        let streams = query.examID.map { exam in
            let partition = PartitionHash.partition(of: exam.rawValue, count: partitions)
            return [(partition, keys.audit(partition))]
        }
        var merge = AuditMerge(streams: streams ?? self.streams, query: query)
        var records: [AuditRecord] = []
        var scanned = 0
        while !merge.isFinished {
            let hungry = merge.hungry
            let replies = try await client.pipeline(hungry.map(\.command))
            for (source, reply) in zip(hungry, replies) {
                if let error = reply.error { throw RedisError(refused: error) }
                merge.feed(source.stream, reply.array ?? [])
            }
            while let (cursor, record) = merge.next() {
                scanned += 1
                if let record, query.matches(record.entry) { records.append(record) }
                if records.count == query.limit || scanned >= Self.scanLimit {
                    return AuditPage(records: records, next: merge.isFinished ? nil : cursor)
                }
            }
        }
        return AuditPage(records: records, next: nil)
    }
}

/// Merges the streams' entries by position, in either order. Pure: it is fed with replies.
struct AuditMerge {
    private struct Source {
        let stream: Int
        let key: String
        /// Where reading goes on, as Redis takes it.
        var bound: String
        /// The next one last.
        var entries: [(cursor: AuditCursor, record: AuditRecord?)] = []
        var isComplete = false
    }

    static let chunk = 200

    private var sources: [Source]
    private let order: AuditQuery.Order
    private let far: String

    init(streams: [(Int, String)], query: AuditQuery) {
        order = query.order
        // Without a sequence, Redis takes the whole millisecond.
        let from = query.from.map { String(max(0, $0.milliseconds)) } ?? "-"
        let to = query.to.map { String(max(0, $0.milliseconds)) } ?? "+"
        let (near, far) = query.order == .oldestFirst ? (from, to) : (to, from)
        self.far = far
        sources = streams.map { stream, key in
            guard let cursor = query.cursor else { return Source(stream: stream, key: key, bound: near) }
            // Entries of the same position are ordered by stream.
            let isPast = query.order == .oldestFirst ? stream <= cursor.stream : stream >= cursor.stream
            return Source(stream: stream, key: key, bound: "\(isPast ? "(" : "")\(cursor.position)")
        }
    }

    var isFinished: Bool { sources.allSatisfy { $0.isComplete && $0.entries.isEmpty } }

    /// What must be read before `next()` can tell the next entry.
    var hungry: [(stream: Int, command: RedisCommand)] {
        sources.filter { !$0.isComplete && $0.entries.isEmpty }.map { source in
            let name = order == .oldestFirst ? "XRANGE" : "XREVRANGE"
            return (source.stream, [name, source.key, source.bound, far, "COUNT", Self.chunk])
        }
    }

    mutating func feed(_ stream: Int, _ entries: [RESPValue]) {
        guard let index = sources.firstIndex(where: { $0.stream == stream }) else { return }
        sources[index].isComplete = entries.count < Self.chunk
        sources[index].entries = entries.reversed().compactMap { entry in
            guard let position = entry.array?.first?.string.flatMap({ StreamPosition($0) }) else { return nil }
            return (AuditCursor(position: position, stream: stream), AuditCodec.decode(entry, stream: stream))
        }
        if let last = sources[index].entries.first { sources[index].bound = "(\(last.cursor.position)" }
    }

    /// - Returns: the next entry in order, its record nil when it is no audit entry; nil when there is none or something
    ///   must be read first.
    mutating func next() -> (AuditCursor, AuditRecord?)? {
        var best: Int?
        for index in sources.indices {
            guard let candidate = sources[index].entries.last?.cursor else {
                if sources[index].isComplete { continue }
                return nil
            }
            if let known = best.flatMap({ sources[$0].entries.last?.cursor }),
                order == .oldestFirst ? known < candidate : candidate < known
            {
                continue
            }
            best = index
        }
        guard let (cursor, record) = best.flatMap({ sources[$0].entries.popLast() }) else { return nil }
        return (cursor, record)
    }
}
