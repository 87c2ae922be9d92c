import Domain
import Redis

/// The connections of a publisher, one after the other, and the last position it knows of each partition.
struct PublisherLink {
    let name: String
    let bus: EventBus
    var error: (any Error)?
    private var generation = 0
    /// Names of connections over which something was sent that is not answered.
    private var lost: Set<String> = []
    /// All the publisher's events behind this position are in flight.
    private var floors: [Int: StreamPosition] = [:]

    init(name: String, bus: EventBus) {
        self.name = name
        self.bus = bus
    }

    /// A name no other connection has, so that it can be found and closed.
    mutating func begin(_ connection: RedisConnection) async throws {
        generation += 1
        let current = "\(name):\(generation)"
        _ = try await connection.send(["CLIENT", "SETNAME", current])
        lost.insert(current)
    }

    /// Nothing that went over earlier connections is open.
    mutating func isSettled() {
        lost = ["\(name):\(generation)"]
    }

    /// - Returns: a result for each; nil when Redis refused it for now.
    mutating func send(
        _ batch: [PublishBuffer.Item], _ connection: RedisConnection
    ) async throws -> [Result<StreamPosition, any Error>?] {
        try await learnFloors(batch, connection)
        let replies = try await connection.pipeline(batch.map(\.command))
        return zip(batch, replies).map { item, reply in
            if let error = reply.error {
                let refusal = RedisError(refused: error)
                let isTemporary = refusal.isTemporaryRefusal || ["NOSCRIPT", "READONLY"].contains(error.prefix)
                return isTemporary ? nil : .failure(refusal)
            }
            do {
                let position = try bus.position(reply)
                floors[item.partition] = max(floors[item.partition] ?? .zero, position)
                return .success(position)
            } catch {
                return .failure(error)
            }
        }
    }

    /// Where the streams end, before the first event of this publisher.
    private mutating func learnFloors(_ batch: [PublishBuffer.Item], _ connection: RedisConnection) async throws {
        let unknown = Set(batch.map(\.partition)).filter { floors[$0] == nil }.sorted()
        guard !unknown.isEmpty else { return }
        let replies = try await connection.pipeline(
            unknown.map { ["XREVRANGE", bus.keys.events($0), "+", "-", "COUNT", 1] })
        for (partition, reply) in zip(unknown, replies) {
            if let error = reply.error { throw RedisError(refused: error) }
            floors[partition] = reply.array?.first?.array?.first.flatMap(EventCodec.position) ?? .zero
        }
    }

    /// - Returns: where each event is; nil for one that was not appended, and never will be by what was sent.
    mutating func find(
        _ items: [PublishBuffer.Item], _ connection: RedisConnection
    ) async throws -> [StreamPosition?] {
        try await closeLost(connection)
        var found: [String: StreamPosition] = [:]
        // Taken over at the end alone: a search that is interrupted is made again, from the same floors.
        var reached = floors
        for (partition, items) in Dictionary(grouping: items, by: \.partition) {
            // Without a floor nothing was sent.
            guard let floor = floors[partition] else { continue }
            var wanted = Set(items.map(\.eventID))
            var start = floor.successor
            while !wanted.isEmpty {
                let entries =
                    try await connection.send(
                        ["XRANGE", bus.keys.events(partition), start.description, "+", "COUNT", 500]
                    ).array ?? []
                for entry in entries {
                    guard let stored = try? EventCodec.decodeSealed(entry, partition: partition) else { continue }
                    if wanted.remove(stored.event.id) != nil {
                        found[stored.event.id] = stored.position
                        reached[partition] = stored.position
                    }
                }
                guard entries.count == 500, let last = entries.last?.array?.first.flatMap(EventCodec.position) else {
                    break
                }
                start = last.successor
            }
        }
        floors = reached
        return items.map { found[$0.eventID] }
    }

    /// Redis executes what it has received of a connection even after the other end is gone, and a proxy may deliver it
    /// much later. Once Redis has closed it, nothing comes any more.
    private func closeLost(_ connection: RedisConnection) async throws {
        let old = lost.subtracting(["\(name):\(generation)"])
        let list = try await connection.send(["CLIENT", "LIST", "TYPE", "normal"]).string ?? ""
        for line in list.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard let name = fields.first(where: { $0.hasPrefix("name=") })?.dropFirst(5), old.contains(String(name)),
                let identity = fields.first(where: { $0.hasPrefix("id=") })?.dropFirst(3)
            else { continue }
            // It may have gone meanwhile.
            _ = try await connection.pipeline([["CLIENT", "KILL", "ID", identity]])
        }
    }
}
