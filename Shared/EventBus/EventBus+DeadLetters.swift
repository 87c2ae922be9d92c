import Domain
import Redis

extension EventBus {
    /// Dead letters by partition, oldest first in each.
    package func deadLetters(_ query: DeadLetterQuery = DeadLetterQuery()) async throws -> DeadLetterPage {
        guard (1...10_000).contains(query.limit) else {
            throw EventBusError(.invalidArgument, "limit must be 1 to 10000, not \(query.limit)")
        }
        let partitions = query.filter.examID.map { [partition(of: $0)] } ?? Array(0..<configuration.partitions)
        var found: [DeadLetter] = []
        for partition in partitions where partition >= query.cursor?.partition ?? 0 {
            var start = StreamPosition.zero
            if let cursor = query.cursor, cursor.partition == partition { start = cursor.position.successor }
            while true {
                let reply = try await client.send(
                    ["XRANGE", keys.dead(partition), start.description, "+", "COUNT", 500])
                let entries = reply.array ?? []
                for entry in entries {
                    guard let letter = DeadLetter(entry, partition: partition) else { continue }
                    start = letter.id.position.successor
                    guard query.matches(letter) else { continue }
                    found.append(letter)
                    if found.count == query.limit {
                        return DeadLetterPage(
                            deadLetters: found,
                            next: EventCursor(position: letter.id.position, partition: partition))
                    }
                }
                if entries.count < 500 { break }
            }
        }
        return DeadLetterPage(deadLetters: found, next: nil)
    }

    /// - Returns: nil when there is no such dead letter.
    package func deadLetter(_ id: DeadLetterID) async throws -> DeadLetter? {
        let reply = try await client.send(
            ["XRANGE", keys.dead(id.partition), id.position.description, id.position.description])
        return reply.array?.first.flatMap { DeadLetter($0, partition: id.partition) }
    }

    /// Gives events back to the group that failed on them, behind what is in the stream now; those of an exam keep the
    /// order in which they failed. Other groups do not see them again.
    ///
    /// - Returns: how many there were. Dead letters without an event stay.
    @discardableResult
    package func requeue(_ ids: [DeadLetterID]) async throws -> Int {
        var count = 0
        for (partition, positions) in byPartition(ids) {
            for chunk in positions.chunks(of: 100) {
                let reply = try await client.evaluate(
                    EventBusScripts.requeue,
                    keys: [keys.events(partition), keys.dead(partition), keys.aside(partition)],
                    arguments: [EventCodec.largeData] + chunk.map(\.description))
                count += reply.array?.count ?? 0
            }
        }
        return count
    }

    /// Forgets dead letters.
    ///
    /// - Returns: how many there were.
    @discardableResult
    package func purge(_ ids: [DeadLetterID]) async throws -> Int {
        var count = 0
        for (partition, positions) in byPartition(ids) {
            for chunk in positions.chunks(of: 1000) {
                let reply = try await client.send(
                    RedisCommand("XDEL", arguments: [keys.dead(partition)] + chunk.map(\.description)))
                count += reply.int ?? 0
            }
        }
        return count
    }

    private func byPartition(_ ids: [DeadLetterID]) -> [(Int, [StreamPosition])] {
        Dictionary(grouping: ids, by: \.partition).sorted { $0.key < $1.key }
            .map { ($0.key, Set($0.value.map(\.position)).sorted()) }
    }
}

extension DeadLetterQuery {
    fileprivate func matches(_ letter: DeadLetter) -> Bool {
        if let group, letter.group != group { return false }
        guard let event = letter.event else { return filter == EventFilter() }
        return filter.matches(event)
    }
}

extension DeadLetter {
    fileprivate init?(_ entry: RESPValue, partition: Int) {
        guard let parts = entry.array, parts.count == 2, let position = EventCodec.position(parts[0]),
            let fields = parts[1].fields
        else { return nil }
        func text(_ name: String) -> String { fields.first { $0.name == name }?.value.string ?? "" }
        self.init(
            id: DeadLetterID(position: position, partition: partition), group: text("group"),
            handler: text("handler"), error: text("error"), deliveries: Int(text("deliveries")) ?? 0,
            original: StreamPosition(text("position")) ?? .zero,
            event: (try? EventCodec.decode(entry, partition: partition))?.event)
    }
}

extension Array {
    func chunks(of size: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: count, by: size).map { self[$0..<Swift.min($0 + size, count)] }
    }
}
