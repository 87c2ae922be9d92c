package import Domain
package import Redis

/// What the runs of tasks did, kept in Redis: runs begun, effects made, effects refused.
///
/// The queue promises that a task is run at least once, that its outcome is recorded once, and that every run has a
/// greater fence than those before. What it cannot promise is that a killed worker had not made its effect. So an effect
/// is guarded here as the queue's users are told to: it is made once per task id, and never by a run that has a
/// successor. The runs are noted without any guard, so that the accounting also sees what the guard hides: a task handed
/// out after it was completed, or one claim handed out twice.
package struct EffectLedger: Sendable {
    package enum Answer: String, Sendable {
        case applied = "APPLIED"
        /// The task's effect was there.
        case repeated = "REPEATED"
        /// A later run has begun.
        case late = "LATE"
    }

    package struct MalformedReply: Error {}

    private let client: RedisClient

    package init(client: RedisClient) {
        self.client = client
    }

    /// Notes that a run has begun.
    ///
    /// - Returns: the how manieth run of the task it is, 1 for the first.
    package func begin(_ id: TaskID, fence: Int64) async throws -> Int {
        let reply = try await client.evaluate(Self.beginning, keys: [Self.runs], arguments: [id.rawValue, fence])
        guard let count = reply.int else { throw MalformedReply() }
        return count
    }

    /// Makes the task's effect, if it is to be made.
    @discardableResult
    package func apply(_ id: TaskID, fence: Int64) async throws -> Answer {
        let reply = try await client.evaluate(
            Self.applying, keys: [Self.runs, Self.applied, Self.effects, Self.refusals],
            arguments: [id.rawValue, fence])
        guard let answer = reply.string.flatMap(Answer.init) else { throw MalformedReply() }
        return answer
    }

    /// Notes that the handler was told of a task's final failure.
    package func noteFinalFailure(_ id: TaskID) async throws {
        _ = try await client.send(["SADD", Self.told, id.rawValue])
    }

    // MARK: Reading

    /// The fences of each task's runs, in the order in which they began.
    package func runs() async throws -> [TaskID: [Int64]] {
        let fields = try await client.send(["HGETALL", Self.runs]).fields ?? []
        return Dictionary(
            fields.map { (TaskID($0.name), ($0.value.string ?? "").split(separator: ",").compactMap { Int64($0) }) },
            uniquingKeysWith: +)
    }

    package func runs(of id: TaskID) async throws -> [Int64] {
        let text = try await client.send(["HGET", Self.runs, id.rawValue]).string ?? ""
        return text.split(separator: ",").compactMap { Int64($0) }
    }

    /// The tasks whose effects were made, in that order: whoever is in it twice had its effect twice.
    package func effects() async throws -> [TaskID] {
        try await client.send(["LRANGE", Self.effects, 0, -1]).array?.compactMap { $0.string.map { TaskID($0) } } ?? []
    }

    package func effectCount() async throws -> Int {
        try await client.send(["LLEN", Self.effects]).int ?? 0
    }

    package func refusals() async throws -> (repeated: Int, late: Int) {
        let replies = try await client.pipeline([
            ["HGET", Self.refusals, Answer.repeated.rawValue], ["HGET", Self.refusals, Answer.late.rawValue],
        ])
        return (replies[0].int ?? 0, replies[1].int ?? 0)
    }

    /// The tasks whose handler was told of their final failure.
    package func finalFailures() async throws -> Set<TaskID> {
        let members = try await client.send(["SMEMBERS", Self.told]).array ?? []
        return Set(members.compactMap { $0.string.map { TaskID($0) } })
    }

    // MARK: Keys and scripts

    private static let runs = "chaos:runs"
    private static let applied = "chaos:applied"
    private static let effects = "chaos:effects"
    private static let refusals = "chaos:refusals"
    private static let told = "chaos:told"

    private static let beginning = RedisScript(
        name: "chaos.begin",
        source: Array(
            """
            local before = redis.call('HGET', KEYS[1], ARGV[1])
            local runs = before and before .. ',' .. ARGV[2] or ARGV[2]
            redis.call('HSET', KEYS[1], ARGV[1], runs)
            local _, commas = string.gsub(runs, ',', '')
            return commas + 1
            """.utf8))

    private static let applying = RedisScript(
        name: "chaos.apply",
        source: Array(
            """
            local answer = 'APPLIED'
            for fence in string.gmatch(redis.call('HGET', KEYS[1], ARGV[1]), '%d+') do
                if tonumber(fence) > tonumber(ARGV[2]) then answer = 'LATE' end
            end
            if answer == 'APPLIED' and redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 then answer = 'REPEATED' end
            if answer == 'APPLIED' then
                redis.call('SADD', KEYS[2], ARGV[1])
                redis.call('RPUSH', KEYS[3], ARGV[1])
            else
                redis.call('HINCRBY', KEYS[4], answer, 1)
            end
            return answer
            """.utf8))
}
