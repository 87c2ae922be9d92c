package import Domain
package import EventBus
package import Redis

/// Appends an event's number to its exam's list, once per event and group: the list is what the events did.
package struct CountingHandler: EventHandler {
    package struct ToldToFail: Error {}

    package let name = "counting"
    package let eventTypes: Set<EventType> = Set(CountedEvent.types)
    private let client: RedisClient
    private let keys: RedisKeys

    package init(client: RedisClient, keys: RedisKeys) {
        self.client = client
        self.keys = keys
    }

    package func handle(_ stored: StoredEvent, context: HandlingContext) async throws {
        let event = try JSON.decode(CountedEvent.self, from: stored.event.data)
        guard let failures = event.failures, context.attempt > failures else { throw ToldToFail() }
        let effect = context.effectGuard
        let keys = [
            Self.list(keys, stored.partition, context.group, stored.event.examID ?? ""),
            Self.refusals(keys, stored.partition),
        ]
        let reply = try await client.evaluate(
            Self.script, keys: effect.keys + keys, arguments: effect.arguments + [event.number])
        try effect.wasApplied(reply)
    }

    /// The numbers a group's handler has applied, in the order it did.
    package static func list(_ keys: RedisKeys, _ partition: Int, _ group: String, _ exam: ExamID) -> String {
        keys.record(partition, "exam:\(exam):applied-by:\(group)")
    }

    /// A hash that counts what the guard refused, by its answer: `APPLIED` and `STALE`.
    package static func refusals(_ keys: RedisKeys, _ partition: Int) -> String {
        keys.record(partition, "refusals")
    }

    private static let script = RedisScript(
        name: "append_number",
        source: EffectGuard.prelude
            + Array(
                """
                local refused = effect_guard.check()
                if refused then
                    redis.call('HINCRBY', KEYS[4], refused, 1)
                    return refused
                end
                redis.call('RPUSH', KEYS[3], ARGV[4])
                effect_guard.record()
                return 'OK'
                """.utf8))
}
