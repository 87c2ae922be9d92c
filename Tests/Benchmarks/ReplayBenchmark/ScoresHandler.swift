import Domain
import EventBus
import Redis

/// Number, sum, sum of squares and last score of each exam, kept under the group: live and replayed ones apart.
struct ScoresHandler: EventHandler {
    let client: RedisClient
    let keys: RedisKeys
    let name = "scores"
    let eventTypes: Set<EventType> = ["grading.completed"]

    private static let script = RedisScript(
        name: "add_score",
        source: EffectGuard.prelude
            + Array(
                """
                local refused = effect_guard.check()
                if refused then return refused end
                redis.call('HINCRBY', KEYS[3], 'count', 1)
                redis.call('HINCRBY', KEYS[3], 'sum', ARGV[4])
                redis.call('HINCRBY', KEYS[3], 'squares', ARGV[4] * ARGV[4])
                redis.call('HSET', KEYS[3], 'last', ARGV[4])
                effect_guard.record()
                return 'OK'
                """.utf8))

    func handle(_ event: StoredEvent, context: HandlingContext) async throws {
        let score = String(decoding: event.event.data, as: UTF8.self)
        let key = self.key(event.event.examID ?? "", event.partition, group: context.group)
        let guarding = context.effectGuard
        let reply = try await client.evaluate(
            Self.script, keys: guarding.keys + [key], arguments: guarding.arguments + [score])
        try guarding.wasApplied(reply)
    }

    func scores(of exam: ExamID, _ partition: Int, group: String) async throws -> [String] {
        let reply = try await client.send(
            ["HMGET", key(exam, partition, group: group), "count", "sum", "squares", "last"])
        return (reply.array ?? []).map { $0.string ?? "" }
    }

    private func key(_ exam: ExamID, _ partition: Int, group: String) -> String {
        keys.record(partition, "exam:\(exam):scores:\(group)")
    }
}
