import EventBus
import Redis

/// Where event streams end, and whether nothing behind a position has been removed.
struct StreamPlaces: Sendable {
    let client: RedisClient
    let keys: RedisKeys

    /// Behind the last event of each partition.
    func ends(of partitions: [Int]) async throws -> StreamCursor {
        let replies = try await client.pipeline(partitions.map { ["XINFO", "STREAM", keys.events($0)] })
        var positions: [Int: StreamPosition] = [:]
        for (partition, reply) in zip(partitions, replies) {
            positions[partition] = try Summary(reply).last
        }
        return StreamCursor(positions)
    }

    /// Before the last `count` entries of each partition, up to and with `end` (`end` where there are none), and how many
    /// these are in all.
    func starts(ofLast count: Int, upTo end: StreamCursor) async throws -> (cursor: StreamCursor, entries: Int) {
        let positions = Array(end.positions)
        let replies = try await client.pipeline(
            positions.map { partition, position in
                ["XREVRANGE", keys.events(partition), position.description, "-", "COUNT", count]
            })
        var starts = end.positions
        var entries = 0
        for ((partition, _), reply) in zip(positions, replies) {
            if let error = reply.error { throw RedisError(refused: error) }
            entries += reply.array?.count ?? 0
            let first = reply.array?.last?.array?.first.flatMap { $0.string }.flatMap { StreamPosition($0) }
            if let first { starts[partition] = first.predecessor }
        }
        return (StreamCursor(starts), entries)
    }

    /// - Returns: true when every event behind `cursor` is still there. Where that cannot be told, false.
    func isComplete(behind cursor: StreamCursor) async throws -> Bool {
        let positions = Array(cursor.positions)
        let replies = try await client.pipeline(
            positions.flatMap { partition, position -> [RedisCommand] in
                let key = keys.events(partition)
                return [
                    ["XINFO", "STREAM", key],
                    ["XRANGE", key, position.description, position.description, "COUNT", 1],
                ]
            })
        for (index, (_, position)) in positions.enumerated() {
            let summary = try Summary(replies[2 * index])
            if let error = replies[2 * index + 1].error { throw RedisError(refused: error) }
            let isThere = replies[2 * index + 1].array?.isEmpty == false
            let isWhole = position == .zero ? summary.removed == 0 : isThere || position == summary.last
            // A position beyond the end is of a server that has lost what it had.
            if !isWhole || position > summary.last { return false }
        }
        return true
    }

    private struct Summary {
        /// Of the last event there ever was; zero before the first.
        var last = StreamPosition.zero
        var removed = 0

        init(_ reply: RESPValue) throws(RedisError) {
            if let error = reply.error {
                // The stream begins with its first event.
                if error.message.contains("no such key") { return }
                throw RedisError(refused: error)
            }
            for field in reply.fields ?? [] {
                switch field.name {
                case "last-generated-id": last = field.value.string.flatMap { StreamPosition($0) } ?? .zero
                case "entries-added": removed += field.value.int ?? 0
                case "length": removed -= field.value.int ?? 0
                default: break
                }
            }
        }
    }
}
