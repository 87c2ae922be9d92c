import Domain
import EventBus
import Testing

@testable import Gateway

/// The way of a subscription between history and the ring, on streams of chance.
@Suite struct SubscriptionProgressTests {
    /// Streams, and two gateways with a ring over their ends each, which do not keep step; the client is at one of them.
    private struct World {
        let partitions: Int
        var random: SplitMix
        var streams: [[StoredEvent]]
        /// Of each gateway and stream, how many events have reached the ring.
        var appended: [[Int]]
        var rings: [EventRing]
        var here = 0
        var ring: EventRing { rings[here] }
        var clock: UInt64 = 1

        init(seed: UInt64) {
            random = SplitMix(seed: seed)
            partitions = Int.random(in: 1...4, using: &random)
            streams = Array(repeating: [], count: partitions)
            appended = Array(repeating: Array(repeating: 0, count: partitions), count: 2)
            let start = StreamCursor(Dictionary(uniqueKeysWithValues: (0..<partitions).map { ($0, .zero) }))
            rings = []
            for _ in 0..<2 {
                rings.append(
                    EventRing(start: start, capacity: Int.random(in: 1...12, using: &random), maxBytes: .max))
            }
        }

        mutating func publish() {
            let partition = Int.random(in: 0..<partitions, using: &random)
            clock += UInt64.random(in: 0...2, using: &random)
            let last = streams[partition].last?.position ?? .zero
            let position = last.milliseconds == clock ? last.successor : StreamPosition(milliseconds: clock)
            let type: EventType = Bool.random(using: &random) ? "exam.updated" : "batch.progress"
            let event = EventEnvelope(
                id: "\(partition)/\(position)", source: "/test", type: type,
                subject: "b\(Int.random(in: 0...2, using: &random))", time: Timestamp(milliseconds: 0),
                schemaVersion: 1, correlationID: "", examID: Bool.random(using: &random) ? "a" : "b", data: [])
            streams[partition].append(StoredEvent(position: position, partition: partition, event: event))
        }

        /// - Returns: the next event that reaches the ring of a gateway, of whichever stream.
        mutating func append(at gateway: Int) -> (RingEntry, EventRing.Place)? {
            let ready = (0..<partitions).filter { appended[gateway][$0] < streams[$0].count }
            guard let partition = ready.randomElement(using: &random) else { return nil }
            let stored = streams[partition][appended[gateway][partition]]
            appended[gateway][partition] += 1
            var place = rings[gateway].end
            place.advance(to: stored)
            guard let entry = try? RingEntry(stored, place: place), let at = rings[gateway].append(entry) else {
                return nil
            }
            return (entry, at)
        }

        /// As Redis gives it: everything there is, in pages.
        mutating func range(
            after start: [Int: StreamPosition], upTo end: [Int: StreamPosition], _ wants: (EventEnvelope) -> Bool
        ) -> EventRange {
            let count = Int.random(in: 1...3, using: &random)
            var range = EventRange(events: [], reached: start, scanned: 0)
            for (partition, position) in start where position < end[partition] ?? .zero {
                let upTo = end[partition] ?? .zero
                let entries = streams[partition].filter { $0.position > position && $0.position <= upTo }.prefix(count)
                range.reached[partition] = entries.count < count ? upTo : entries.last?.position
                range.events += entries.filter { wants($0.event) }
            }
            range.events.sort { ($0.position, $0.partition) < ($1.position, $1.partition) }
            return range
        }
    }

    private struct Client {
        let partitions: [Int]
        let filter: SubscriptionFilter
        var progress = SubscriptionProgress()
        var received: [String] = []
        var cursor: StreamCursor
        var isBlocked = false
        /// Asked for from history, not yet given.
        var request: (after: [Int: StreamPosition], upTo: [Int: StreamPosition])?

        mutating func take(_ entry: RingEntry, _ own: StreamCursor?, _ world: World) {
            received.append("\(entry.partition)/\(entry.position)")
            let text = partitions.count == 1 ? entry.partitionCursor : own?.text ?? entry.fullCursor
            cursor = StreamCursor(text) ?? StreamCursor([:])
        }

        mutating func hand(_ entry: RingEntry, _ place: EventRing.Place, _ world: World) {
            guard filter.wants(entry), partitions.contains(entry.partition), progress.source == .current else { return }
            if isBlocked {
                progress.fallBehind(before: entry, at: place, partitions: partitions, ring: world.ring)
            } else if case .send(let own) = progress.accept(entry, ring: world.ring) {
                take(entry, own, world)
            }
        }

        /// Up to `limit` steps.
        mutating func catchUp(_ world: inout World, limit: Int) {
            for _ in 0..<limit where !isBlocked {
                switch progress.source {
                case .current: return
                case .ring:
                    let next = progress.next(in: world.ring) { [filter] in filter.wants($0) }
                    if let next, case .send(let own) = next.1 { take(next.entry, own, world) }
                case .page:
                    guard let (event, own) = progress.nextOfPage(ring: world.ring) else { continue }
                    received.append(event.event.id)
                    cursor = own
                case .history:
                    // Asked now, answered later: the ring moves on between.
                    guard let request else {
                        self.request = progress.missing(in: world.ring)
                        return
                    }
                    let range = world.range(after: request.after, upTo: request.upTo) { [filter] in filter.wants($0) }
                    self.request = nil
                    progress.receive(range)
                }
            }
        }
    }

    @Test(arguments: 0..<400)
    func `however a client comes, goes and stalls, it gets every event once, in the order of its partition`(
        seed: UInt64
    ) {
        var world = World(seed: seed)
        let followed =
            Bool.random(using: &world.random)
            ? Array(0..<world.partitions) : [Int.random(in: 0..<world.partitions, using: &world.random)]
        let filter = SubscriptionFilter(
            kind: ConnectionTypeCatalog.index(of: "general") ?? 0,
            exams: Bool.random(using: &world.random) ? ["a"] : nil, eventTypes: ["exam.updated"], user: "u")
        let start = StreamCursor(Dictionary(uniqueKeysWithValues: followed.map { ($0, .zero) }))
        var client = Client(partitions: followed, filter: filter, cursor: start)
        for _ in 0..<300 {
            switch Int.random(in: 0..<10, using: &world.random) {
            case 0...3: world.publish()
            case 4...6:
                let gateway = Int.random(in: 0...1, using: &world.random)
                if let (entry, place) = world.append(at: gateway), gateway == world.here {
                    client.hand(entry, place, world)
                }
            case 7: client.isBlocked.toggle()
            case 8: client.catchUp(&world, limit: Int.random(in: 1...8, using: &world.random))
            default:
                // Comes back, perhaps to the other gateway.
                world.here = Int.random(in: 0...1, using: &world.random)
                client.progress = SubscriptionProgress(behind: client.cursor, ring: world.ring)
                client.isBlocked = false
                client.request = nil
            }
            if !client.isBlocked { client.catchUp(&world, limit: 1) }
        }
        client.isBlocked = false
        while let (entry, place) = world.append(at: world.here) { client.hand(entry, place, world) }
        for _ in 0..<10_000 where client.progress.source != .current { client.catchUp(&world, limit: 50) }
        for partition in 0..<world.partitions {
            let expected =
                followed.contains(partition)
                ? world.streams[partition].filter { filter.wants($0.event) }.map(\.event.id) : []
            #expect(client.received.filter { $0.hasPrefix("\(partition)/") } == expected, "partition \(partition)")
        }
        #expect(client.progress.source == .current)
        let cursor = client.progress.currentCursor(ring: world.ring) ?? world.ring.end
        #expect(world.ring.reaches(cursor))
    }

    @Test func `to a slow client only the latest progress of a batch is told, and all else`() throws {
        var world = World(seed: 1)
        world.rings[0] = EventRing(start: StreamCursor([0: .zero]), capacity: 100, maxBytes: .max)
        let filter = SubscriptionFilter(
            kind: ConnectionTypeCatalog.index(of: "progress") ?? 0, exams: nil, eventTypes: nil, user: "u")
        var client = Client(partitions: [0], filter: filter, cursor: StreamCursor([0: .zero]))
        client.isBlocked = true
        for number in 1...10 {
            let type: EventType = number == 5 ? "batch.completed" : "batch.progress"
            let event = EventEnvelope(
                id: "\(number)", source: "/test", type: type, subject: number % 2 == 0 ? "even" : "odd",
                time: Timestamp(milliseconds: 0), schemaVersion: 1, correlationID: "", examID: "a", data: [])
            let stored = StoredEvent(
                position: StreamPosition(milliseconds: UInt64(number)), partition: 0, event: event)
            let entry = try RingEntry(stored, place: StreamCursor([0: stored.position]))
            if let place = world.rings[0].append(entry) { client.hand(entry, place, world) }
        }
        client.isBlocked = false
        client.catchUp(&world, limit: 100)
        #expect(client.received == ["0/5-0", "0/9-0", "0/10-0"])
        // One that comes back gets all of it.
        client = Client(partitions: [0], filter: filter, cursor: StreamCursor([0: .zero]))
        client.progress = SubscriptionProgress(behind: client.cursor, ring: world.ring)
        client.catchUp(&world, limit: 100)
        #expect(client.received.count == 10)
    }

    @Test func `the ring is bounded by events and by bytes, and knows where it begins`() throws {
        var ring = EventRing(start: StreamCursor([0: .zero, 1: .zero]), capacity: 3, maxBytes: .max)
        for number in 1...5 {
            let event = EventEnvelope(
                id: "\(number)", source: "/test", type: "exam.updated", subject: "a", time: Timestamp(milliseconds: 0),
                schemaVersion: 1, correlationID: "", data: [])
            let stored = StoredEvent(
                position: StreamPosition(milliseconds: UInt64(number)), partition: number % 2, event: event)
            #expect(ring.append(try RingEntry(stored, place: ring.end)) != nil)
            #expect(ring.append(try RingEntry(stored, place: ring.end)) == nil)
        }
        #expect(ring.first == 2)
        #expect(ring.next == 5)
        #expect(ring[1] == nil)
        #expect(ring[4]?.position == StreamPosition(milliseconds: 5))
        #expect(ring.base == StreamCursor([0: StreamPosition(milliseconds: 2), 1: StreamPosition(milliseconds: 1)]))
        #expect(ring.covers(StreamCursor([1: StreamPosition(milliseconds: 1)])))
        #expect(!ring.covers(StreamCursor([0: StreamPosition(milliseconds: 1)])))
        #expect(ring.number(behind: StreamCursor([0: StreamPosition(milliseconds: 4)])) == 5)
        #expect(ring.number(behind: StreamCursor([1: StreamPosition(milliseconds: 3)])) == 4)
    }
}
