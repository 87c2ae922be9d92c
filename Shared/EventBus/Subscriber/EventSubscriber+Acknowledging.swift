import Logging
import Redis
import Synchronization

/// Acknowledges in batches: what is handled while a batch is on its way, and a moment longer, makes the next.
extension EventSubscriber {
    /// Positions per script; Lua's stack holds some thousands.
    private static let batch = 1000
    /// The pause after a small batch. Nobody waits for an acknowledgement, and each script costs Redis more than the
    /// positions in it.
    private static let pause = Duration.milliseconds(10)
    /// Positions of a batch that is not small.
    private static let largeBatch = 512

    func acknowledgeLoop() async {
        while !Task.isCancelled {
            let batches = lanes.withLock { $0.takeAcknowledgements(max: Self.batch) }
            guard !batches.isEmpty else {
                await acknowledgementBell.wait()
                continue
            }
            do {
                let replies = try await bus.client.pipeline(batches.map(command))
                var isRefused = false
                for (batch, reply) in zip(batches, replies) {
                    if let error = reply.error, RedisError(refused: error).isOutage {
                        isRefused = true
                        lanes.withLock { $0.unacknowledged(batch) }
                    } else {
                        settle(batch, reply)
                    }
                }
                if isRefused { try? await Task.sleep(for: .milliseconds(100)) }
            } catch {
                // Acknowledging twice is harmless, so an unknown outcome is repeated too.
                lanes.withLock { lanes in
                    for batch in batches { lanes.unacknowledged(batch) }
                }
                try? await Task.sleep(for: .milliseconds(100))
            }
            readerBell.ring()
            if lanes.withLock({ $0.hasDrained }) { ownershipBell.ring() }
            if batches.reduce(0, { $0 + $1.positions.count }) < Self.largeBatch {
                try? await Task.sleep(for: Self.pause)
            }
        }
    }

    private func command(_ batch: LaneStateMachine.Acknowledgement) -> RedisCommand {
        EventBusScripts.acknowledge.command(
            keys: [bus.keys.owner(batch.partition, group: group), bus.keys.events(batch.partition)],
            arguments: [batch.token, group] + batch.positions.map(\.description))
    }

    private func settle(_ batch: LaneStateMachine.Acknowledgement, _ reply: RESPValue) {
        if let error = reply.error {
            logger.warning(
                "Events could not be acknowledged",
                metadata: [LogKey.partition: "\(batch.partition)", LogKey.error: "\(error)"])
        }
        lanes.withLock { $0.acknowledged(batch) }
        // Somebody else's now: the next beat clears it up.
        if reply.string == "STALE" { ownershipBell.ring() }
    }
}
