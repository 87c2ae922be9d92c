import Domain
import Logging
import Redis
import Synchronization

/// Reads again what was left in the stream when an exam that was stuck had filled the buffer.
extension EventSubscriber {
    /// Entries per read, reads in a row, and events per refill.
    private static let page = 256
    private static let pages = 16
    private static let refill = 512

    func refillLoop() async {
        while !Task.isCancelled {
            let refills = lanes.withLock { $0.takeRefills() }
            guard !refills.isEmpty else {
                await refillBell.wait()
                continue
            }
            for refill in refills { await self.refill(refill) }
            startWorkers()
        }
    }

    /// The entries are pending, and whatever the lane has is before them: reading them without the group changes
    /// nothing for anybody.
    private func refill(_ refill: LaneStateMachine.Refill) async {
        var items: [LaneStateMachine.Item] = []
        var next = refill.from
        do {
            for _ in 0..<Self.pages where next <= refill.through && items.count < Self.refill {
                let reply = try await bus.client.send(
                    [
                        "XRANGE", bus.keys.events(refill.lane.partition), next.description, refill.through.description,
                        "COUNT", Self.page,
                    ])
                let entries = reply.array ?? []
                for entry in entries {
                    guard let position = entry.array?.first.flatMap(EventCodec.position) else { continue }
                    next = position.successor
                    if let item = item(entry, position, of: refill.lane) { items.append(item) }
                }
                if entries.count < Self.page { next = refill.through.successor }
            }
        } catch {
            // Nothing is lost: it is still pending.
            logger.warning("Events could not be read again", metadata: [LogKey.error: "\(error)"])
            try? await Task.sleep(for: bus.configuration.heartbeat)
        }
        lanes.withLock { $0.refill(refill, with: items, next: next) }
    }

    private func item(
        _ entry: RESPValue, _ position: StreamPosition, of lane: LaneStateMachine.LaneKey
    ) -> LaneStateMachine.Item? {
        do throws(EventBusError) {
            let stored = try EventCodec.decodeSealed(entry, partition: lane.partition)
            guard stored.event.partitionKey == lane.key, wants(stored) else { return nil }
            return LaneStateMachine.Item(position: position, content: .success(stored))
        } catch {
            return lane.key.isEmpty ? LaneStateMachine.Item(position: position, content: .failure(error)) : nil
        }
    }
}
