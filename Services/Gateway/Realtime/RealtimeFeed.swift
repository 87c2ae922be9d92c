import Domain
import EventBus
import Logging
import NIOCore
import Redis
import ServiceKit
import ServiceLifecycle
import TaskQueue

/// Feeds the hub with events, watches whether Redis answers, and drains the connections when the gateway stops.
///
/// Events go to the event loops in batches, each when all of them have dealt with the one before: while clients cannot be
/// written to fast enough, events wait in Redis and nowhere else.
struct RealtimeFeed: Service {
    /// Events handed to an event loop at a time.
    private static let piece = 64

    let hub: RealtimeHub
    /// Of the look whether Redis answers, and for its answer: longer than a disk that is busy holds it up.
    var watchInterval: Duration = .seconds(1)
    var watchPatience: Duration = .seconds(3)

    func run() async throws {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await feed() }
            tasks.addTask { await watch() }
            tasks.addTask {
                await hub.queue.followNews(of: TaskCatalog.all.map { $0.type }, logger: hub.logger) { news in
                    await hub.onAllLoops { $0.tell(news) }
                }
            }
            tasks.addTask {
                while !Task.isCancelled {
                    _ = await hub.statistics()
                    try? await Task.sleep(for: .seconds(2))
                }
            }
            // Ends at the stop.
            try? await gracefulShutdown()
            await hub.drain()
            tasks.cancelAll()
        }
    }

    private func feed() async {
        while !Task.isCancelled {
            guard let recent = await recent() else { return }
            await hub.onAllLoops { $0.start(at: recent.start, with: recent.entries) }
            hub.isFed = true
            await feed(from: recent.end)
        }
    }

    /// Until the gateway stops, or Redis has lost what it had: then clients are sent away to come back and be told so.
    private func feed(from start: StreamCursor) async {
        var place = start
        while !Task.isCancelled {
            var events = hub.bus.tail(from: .after(place.positions)) { [hub] positions in
                try await hub.places.isComplete(behind: StreamCursor(positions))
            }.makeAsyncIterator()
            do {
                while let batch = try await events.nextBatch() {
                    var entries: [RingEntry] = []
                    entries.reserveCapacity(batch.count)
                    for stored in batch {
                        place.advance(to: stored)
                        if let entry = entry(of: stored, at: place) { entries.append(entry) }
                    }
                    // In pieces, so that the event loops get to other things between them.
                    for start in stride(from: 0, to: entries.count, by: Self.piece) {
                        let piece = Array(entries[start..<min(entries.count, start + Self.piece)])
                        await hub.onAllLoops { $0.append(piece) }
                    }
                }
            } catch is EventsLostError {
                hub.logger.error("Redis has lost events: clients are sent away to come back")
                hub.isFed = false
                await hub.onAllLoops { $0.startAnew() }
                return
            } catch {
                hub.logger.warning("events cannot be read", metadata: [LogKey.error: "\(error)"])
            }
            // Begins again where it was.
            try? await Task.sleep(for: .milliseconds(500))
        }
    }

    /// The latest events and where they end, as soon as Redis tells. When a gateway has been killed or replaced, all its
    /// clients come to the others and to the one that takes its place: what they have missed should be at hand there, for
    /// to read it from Redis for each of them takes far longer.
    private func recent() async -> (start: StreamCursor, entries: [RingEntry], end: StreamCursor)? {
        let partitions = Array(0..<hub.bus.configuration.partitions)
        let count = max(1, hub.configuration.ringEvents / 2 / partitions.count)
        while !Task.isCancelled {
            do {
                let end = try await hub.places.ends(of: partitions)
                let (start, expected) = try await hub.places.starts(ofLast: count, upTo: end)
                let range = try await hub.bus.range(after: start.positions, upTo: end.positions, count: count) { _ in
                    true
                }
                // Some may have been removed meanwhile, and the ring must hold all behind its start.
                guard range.scanned == expected else {
                    try await Task.sleep(for: .milliseconds(100))
                    continue
                }
                var place = start
                let entries = range.events.compactMap { stored in
                    place.advance(to: stored)
                    return entry(of: stored, at: place)
                }
                return (start, entries, end)
            } catch {
                hub.logger.warning("event streams cannot be reached", metadata: [LogKey.error: "\(error)"])
                try? await Task.sleep(for: .milliseconds(500))
            }
        }
        return nil
    }

    /// - Returns: nil, with a line in the log, for an event that has no form clients understand.
    private func entry(of stored: StoredEvent, at place: StreamCursor) -> RingEntry? {
        do {
            return try RingEntry(stored, place: place)
        } catch {
            hub.logger.error("event cannot be told", metadata: [LogKey.error: "\(error)"])
            return nil
        }
    }

    /// Tells clients when Redis goes away and comes back. What happened meanwhile comes by itself.
    private func watch() async {
        var isAway = false
        while !Task.isCancelled {
            try? await Task.sleep(for: watchInterval)
            // Of a look that the stop has cut off nothing is said.
            guard await answers() == isAway, !Task.isCancelled else { continue }
            isAway.toggle()
            if isAway {
                hub.logger.warning("Redis does not answer: clients are told")
            } else {
                hub.logger.info("Redis answers again")
            }
            await hub.onAllLoops { [isAway] in $0.setDegraded(isAway) }
        }
    }

    private func answers() async -> Bool {
        await withTaskGroup(of: Bool.self) { tasks in
            tasks.addTask { (try? await hub.client.send(["PING"])) != nil }
            tasks.addTask {
                try? await Task.sleep(for: watchPatience)
                return false
            }
            defer { tasks.cancelAll() }
            return await tasks.next() ?? false
        }
    }
}
