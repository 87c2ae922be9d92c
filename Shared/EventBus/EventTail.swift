internal import DequeModule
package import Domain
import Redis
internal import Synchronization

/// Where a tail begins.
package enum TailStart: Sendable {
    /// Events appended from now on.
    case now
    case beginning
    /// Events appended at that time or later.
    case time(Timestamp)
    /// Behind the last event seen in each partition; partitions not named begin now.
    case after([Int: StreamPosition])
}

/// Redis no longer has what a tail has read already: it came back without its latest writes, or without what was behind
/// the last event read. What follows has a gap, or is told for the second time.
package struct EventsLostError: Error {}

/// Events as they are appended, those of a partition in their order, without a group: any number of readers, none of
/// which holds anything up. Each iterator has a connection of its own, reads ahead a bounded number of events and
/// outlives losses of the connection without a gap.
package struct EventTail: AsyncSequence, Sendable {
    package typealias Element = StoredEvent

    let bus: EventBus
    let start: TailStart
    let filter: EventFilter
    let isWhole: WholenessCheck?

    /// Whether everything behind these positions is still in the streams.
    package typealias WholenessCheck = @Sendable ([Int: StreamPosition]) async throws -> Bool

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(feed: TailFeed(bus: bus, start: start, filter: filter, isWhole: isWhole))
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        let feed: TailFeed

        /// - Returns: nil when the task was cancelled or the client is closed.
        /// - Throws: `RedisError` when the start cannot be found; later failures are waited out. `EventsLostError` when
        ///   the tail was asked to look for that.
        package mutating func next() async throws -> StoredEvent? {
            while let stored = try await feed.buffer.next() {
                // Here, so that only what is asked for takes its whole memory.
                if let opened = try await feed.opened(stored) { return opened }
            }
            return nil
        }

        /// All that has been read ahead, at least one; waits for it.
        ///
        /// - Returns: nil and throws as `next()` does. Empty when nothing of it is an event that can be read.
        package mutating func nextBatch() async throws -> [StoredEvent]? {
            guard let batch = try await feed.buffer.nextBatch() else { return nil }
            var events: [StoredEvent] = []
            events.reserveCapacity(batch.count)
            for stored in batch {
                if let opened = try await feed.opened(stored) { events.append(opened) }
            }
            return events
        }
    }
}

extension EventBus {
    /// - Parameters:
    ///   - start: It is fixed when the first event is asked for.
    ///   - isWhole: asked each time a connection to Redis has been made, with the positions read up to; the tail ends
    ///     with `EventsLostError` when it says no, and tries again when it throws.
    package func tail(
        from start: TailStart = .now, filter: EventFilter = EventFilter(), isWhole: EventTail.WholenessCheck? = nil
    ) -> EventTail {
        EventTail(bus: self, start: start, filter: filter, isWhole: isWhole)
    }
}

/// Reads for one iterator as long as that exists.
final class TailFeed: Sendable {
    let buffer = TailBuffer(capacity: 512)
    private let bus: EventBus
    private let reader: Task<Void, Never>

    init(bus: EventBus, start: TailStart, filter: EventFilter, isWhole: EventTail.WholenessCheck?) {
        self.bus = bus
        let buffer = buffer
        // An iterator has no scope to put a child task in: the reader ends with the feed.
        reader = Task {
            do {
                try await TailReader(bus: bus, filter: filter, isWhole: isWhole, buffer: buffer).run(from: start)
                buffer.finish(nil)
            } catch {
                buffer.finish(error)
            }
        }
    }

    deinit {
        reader.cancel()
    }

    /// Waits while Redis is away.
    ///
    /// - Returns: nil when the data is damaged or gone, or the task was cancelled.
    func opened(_ stored: StoredEvent) async throws -> StoredEvent? {
        while !Task.isCancelled {
            do {
                return try await bus.readable(stored)
            } catch let error as RedisError where !error.isRefusal {
                try? await Task.sleep(for: .milliseconds(200))
            }
        }
        return nil
    }
}

private struct TailReader {
    let bus: EventBus
    let filter: EventFilter
    let isWhole: EventTail.WholenessCheck?
    let buffer: TailBuffer

    private static let blockTime: Duration = .seconds(10)

    func run(from start: TailStart) async throws {
        let partitions = filter.examID.map { [bus.partition(of: $0)] } ?? Array(0..<bus.configuration.partitions)
        var positions = try await self.positions(start, partitions)
        while !Task.isCancelled {
            do {
                positions = try await bus.client.withDedicatedConnection { connection in
                    var positions = positions
                    if let isWhole, !(try await isWhole(positions)) { throw EventsLostError() }
                    while !Task.isCancelled {
                        guard let reply = try? await read(connection, partitions, positions) else { break }
                        positions = await accept(reply, positions)
                    }
                    return positions
                }
            } catch let error as EventsLostError {
                throw error
            } catch {
                // No connection to be had: Redis is away.
            }
            try? await Task.sleep(for: .milliseconds(200))
        }
    }

    private func positions(_ start: TailStart, _ partitions: [Int]) async throws -> [Int: StreamPosition] {
        switch start {
        case .beginning:
            return Dictionary(uniqueKeysWithValues: partitions.map { ($0, .zero) })
        case .time(let time):
            // Behind everything of the millisecond before.
            let before = StreamPosition(milliseconds: UInt64(max(1, time.milliseconds) - 1), sequence: .max)
            return Dictionary(uniqueKeysWithValues: partitions.map { ($0, before) })
        case .after(let known):
            let rest = try await positions(.now, partitions.filter { known[$0] == nil })
            return known.filter { partitions.contains($0.key) }.merging(rest) { first, _ in first }
        case .now:
            let replies = try await bus.client.pipeline(
                partitions.map { ["XREVRANGE", bus.keys.events($0), "+", "-", "COUNT", 1] })
            var positions: [Int: StreamPosition] = [:]
            for (partition, reply) in zip(partitions, replies) {
                if let error = reply.error { throw RedisError(refused: error) }
                positions[partition] = reply.array?.first?.array?.first.flatMap(EventCodec.position) ?? .zero
            }
            return positions
        }
    }

    private func read(
        _ connection: RedisConnection, _ partitions: [Int], _ positions: [Int: StreamPosition]
    ) async throws -> RESPValue {
        var command: RedisCommand = [
            "XREAD", "COUNT", 128, "BLOCK", Self.blockTime.milliseconds, "STREAMS",
        ]
        for partition in partitions { command.append(bus.keys.events(partition)) }
        for partition in partitions { command.append((positions[partition] ?? .zero).description) }
        return try await connection.send(command, blockingFor: Self.blockTime)
    }

    private func accept(_ reply: RESPValue, _ positions: [Int: StreamPosition]) async -> [Int: StreamPosition] {
        var positions = positions
        var events: [StoredEvent] = []
        let byKey = Dictionary(uniqueKeysWithValues: positions.keys.map { (bus.keys.events($0), $0) })
        for stream in reply.array ?? [] {
            guard let parts = stream.array, parts.count == 2, let partition = parts[0].string.flatMap({ byKey[$0] })
            else { continue }
            for entry in parts[1].array ?? [] {
                if let position = entry.array?.first.flatMap(EventCodec.position) { positions[partition] = position }
                guard let stored = try? EventCodec.decodeSealed(entry, partition: partition), stored.onlyGroup == nil,
                    filter.matches(stored.event)
                else { continue }
                events.append(stored)
            }
        }
        await buffer.push(events)
        return positions
    }
}

/// Between a tail's reader and its iterator; the reader waits while it is full.
final class TailBuffer: Sendable {
    private struct State {
        var events: Deque<StoredEvent> = []
        var isFinished = false
        var error: (any Error)?
    }

    private let capacity: Int
    private let state = Mutex(State())
    private let filled = Doorbell()
    private let emptied = Doorbell()

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// One reader at a time; may exceed the capacity by one batch.
    func push(_ events: [StoredEvent]) async {
        guard !events.isEmpty else { return }
        state.withLock { $0.events.append(contentsOf: events) }
        filled.ring()
        while !Task.isCancelled, state.withLock({ $0.events.count >= capacity }) {
            await emptied.wait()
        }
    }

    func finish(_ error: (any Error)?) {
        state.withLock { state in
            state.isFinished = true
            state.error = error
        }
        filled.ring()
    }

    func next() async throws -> StoredEvent? {
        try await take { $0.popFirst() }
    }

    func nextBatch() async throws -> [StoredEvent]? {
        try await take { events in
            guard !events.isEmpty else { return nil }
            defer { events.removeAll() }
            return Array(events)
        }
    }

    /// What `body` takes out, waiting for it while it is nil.
    private func take<Part: Sendable>(_ body: (inout Deque<StoredEvent>) -> Part?) async throws -> Part? {
        while !Task.isCancelled {
            let (part, isFinished) = try state.withLock { state -> (Part?, Bool) in
                if let part = body(&state.events) { return (part, false) }
                if let error = state.error { throw error }
                return (nil, state.isFinished)
            }
            if let part {
                emptied.ring()
                return part
            }
            if isFinished { return nil }
            await filled.wait()
        }
        return nil
    }
}
