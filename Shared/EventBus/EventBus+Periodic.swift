package import Coordination
package import Domain
import Redis

extension EventBus {
    /// Appends an event that a leader publishes at intervals: at most one of its type per interval by Redis' clock,
    /// whatever leaders believe, and none by a leader whose successor has published already.
    ///
    /// - Parameter event: Of the system, not of an exam, with little data.
    /// - Returns: nil when it was not the time, or not the caller's to do.
    /// - Throws: `RedisError`.
    @discardableResult
    package func publish(
        _ event: EventEnvelope, under fence: Fence, atMostEvery interval: Duration
    ) async throws -> StreamPosition? {
        let partition = partition(of: event)
        let limits: [any RedisArgument] = [fence.number, max(1, interval.milliseconds), configuration.maxLength]
        let reply = try await client.evaluate(
            EventBusScripts.publishPeriodic,
            keys: [
                keys.record(partition, "lock-fence:\(fence.lock)"), keys.events(partition),
                keys.record(partition, "published-lately:\(event.type)"),
            ],
            arguments: limits + EventCodec.flat(EventCodec.fields(event)))
        return reply.isNull ? nil : try position(reply)
    }
}
