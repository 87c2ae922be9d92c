import DequeModule
import Logging
import Redis
import Synchronization

/// Finds the event that ends the process of whoever handles it, and sends it to the dead letters.
///
/// How often an entry was given out says only that it was among those a replica had when it ended. So what was given out
/// more than twice is watched: a mark is written before it is handled and removed after it, whatever the outcome. A mark
/// that stays tells that the handling did not end. Events with such a mark are handled one at a time, so that the next
/// crash accuses one of them alone.
extension EventSubscriber {
    /// Deliveries of an event without a mark: crashes of a replica are rare, and most have other causes.
    static let unwatchedDeliveries = 2

    /// Marks an event may leave; with the unwatched deliveries that makes `maxRetries` + 1 ended replicas, at least
    /// three.
    private var toleratedMarks: Int { max(1, bus.configuration.maxRetries + 1 - Self.unwatchedDeliveries) }

    func watched(
        _ work: LaneStateMachine.Work, _ attempt: () async -> LaneStateMachine.Outcome
    ) async -> LaneStateMachine.Outcome {
        let key = bus.keys.interrupted(work.lane.partition, group: group)
        let position = work.item.position.description
        // A replica's own mark: written twice because a reply was lost, it still is one.
        let mark = "\(position) \(member)"
        do {
            let marks = try await bus.client.send(["HKEYS", key]).array?.compactMap(\.string) ?? []
            let others = marks.filter { $0.hasPrefix("\(position) ") && $0 != mark }
            let isSuspect = !others.isEmpty
            if isSuspect { await suspects.enter() }
            defer { if isSuspect { suspects.leave() } }
            if Task.isCancelled { return .abandoned }
            guard others.count < toleratedMarks else {
                return await deadLetter(
                    work, handler: "",
                    error: EventBusError(
                        .poisonousEvent,
                        "Delivered \(work.item.deliveries) times, and the replicas that handled it ended meanwhile"))
            }
            let replies = try await bus.client.pipeline([
                ["HSET", key, mark, 1], ["PEXPIRE", key, bus.configuration.groupLifetime.milliseconds],
            ])
            if let error = replies[0].error { throw RedisError(refused: error) }
            let outcome = await attempt()
            if Task.isCancelled { return outcome }
            var removed: RedisCommand = ["HDEL", key, mark]
            // When the partition was lost meanwhile, the others' marks still accuse: this process goes on, theirs did not.
            if case .abandoned = outcome {} else { removed.append(contentsOf: others) }
            _ = try? await bus.client.send(removed)
            return outcome
        } catch {
            // It is not handled without its mark.
            logger.warning("A suspect event waits", metadata: [LogKey.error: "\(error)"])
            return .postponed(due: .now + bus.configuration.heartbeat, done: work.done)
        }
    }

    /// How often Redis gave these entries out.
    func deliveries(of entries: [RESPValue], _ partition: Int) async throws -> [StreamPosition: Int] {
        guard let first = entries.first?.array?.first?.string, let last = entries.last?.array?.first?.string else {
            return [:]
        }
        let reply = try await bus.client.send(
            ["XPENDING", bus.keys.events(partition), group, first, last, entries.count])
        var deliveries: [StreamPosition: Int] = [:]
        for entry in reply.array ?? [] {
            guard let parts = entry.array, parts.count == 4, let position = EventCodec.position(parts[0]) else {
                continue
            }
            deliveries[position] = parts[3].int
        }
        return deliveries
    }
}

/// Lets one in after the other, in the order they came.
final class SerialGate: Sendable {
    private struct State {
        var isTaken = false
        var waiting: Deque<CheckedContinuation<Void, Never>> = []
    }

    private let state = Mutex(State())

    /// Does not end early when cancelled: whoever is in is cancelled too, and leaves.
    func enter() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.isTaken { state.waiting.append(continuation) }
                defer { state.isTaken = true }
                return !state.isTaken
            }
            if isFree { continuation.resume() }
        }
    }

    func leave() {
        let next = state.withLock { state in
            let next = state.waiting.popFirst()
            state.isTaken = next != nil
            return next
        }
        next?.resume()
    }
}
