internal import Audit
internal import Domain
internal import EventBus
internal import Redis

/// Conditions and changes on records of one partition, sent as one call of `commit.lua`.
struct RecordTransaction {
    enum Outcome {
        case committed
        /// A condition did not hold; nothing was changed.
        case conflict
    }

    private(set) var keys: [String] = []
    private var conditions: [any RedisArgument] = []
    private var changes: [any RedisArgument] = []
    private var indexes: [String: Int] = [:]

    /// The words after the keys, as `commit.lua` takes them.
    var arguments: [any RedisArgument] { conditions + ["then"] + changes }

    // MARK: Conditions

    /// - Parameter value: nil when the field must be absent.
    mutating func require(_ key: String, field: String, equals value: String?) {
        conditions += ["field", index(of: key), field, value ?? ""]
    }

    mutating func requireMissing(_ key: String) {
        conditions += ["missing", index(of: key)]
    }

    mutating func requireExisting(_ key: String) {
        conditions += ["exists", index(of: key)]
    }

    mutating func requireEmpty(sortedSet key: String) {
        conditions += ["empty", index(of: key)]
    }

    // MARK: Changes

    mutating func set(_ key: String, _ fields: KeyValuePairs<String, any RedisArgument>) {
        changes += ["set", index(of: key), fields.count]
        for (name, value) in fields {
            changes += [name, value]
        }
    }

    mutating func unset(_ key: String, field: String) {
        changes += ["unset", index(of: key), field]
    }

    mutating func add(_ amount: Int, to key: String, field: String) {
        changes += ["add", index(of: key), field, amount]
    }

    mutating func delete(_ key: String) {
        changes += ["delete", index(of: key)]
    }

    /// Puts `member` into a sorted set.
    mutating func rank(_ member: String, score: Int64, in key: String) {
        changes += ["rank", index(of: key), score, member]
    }

    /// Puts `member` behind all others of a sorted set, numbered by a counter.
    mutating func append(_ member: String, to key: String, counters: String, field: String) {
        changes += ["append", index(of: key), index(of: counters), field, member]
    }

    /// Puts `member` into a sorted set with the score it has in `source`.
    mutating func copy(_ member: String, from source: String, to key: String) {
        changes += ["copy", index(of: key), index(of: source), member]
    }

    mutating func remove(_ member: String, from key: String) {
        changes += ["remove", index(of: key), member]
    }

    /// Takes `member` out of a sorted set when a counter has come down to 0.
    mutating func drop(_ member: String, from key: String, counters: String, field: String) {
        changes += ["drop", index(of: key), index(of: counters), field, member]
    }

    /// Keeps the `count` highest members of a sorted set, and their fields in `companion`.
    mutating func cap(_ key: String, companion: String, count: Int) {
        changes += ["cap", index(of: key), index(of: companion), count]
    }

    mutating func publish(_ event: EventEnvelope, on stream: String) {
        changes += ["event", index(of: stream)]
        changes += EventCodec.arguments(event)
    }

    /// Writes an entry of the audit log in the same step.
    mutating func audit(_ entry: AuditEntry, in key: String) throws {
        let words = try AuditCodec.arguments(entry)
        changes += ["audit", index(of: key), AuditCodec.maxEntries, words.count]
        changes += words
    }

    /// Removes `member` from a sorted set, and publishes `event` if it was the last.
    mutating func finish(_ member: String, in key: String, publishing event: EventEnvelope, on stream: String) {
        changes += ["finish", index(of: key), index(of: stream), member]
        changes += EventCodec.arguments(event)
    }

    /// Adds to a number of a hash, and publishes `event` when that takes it to `total`.
    mutating func count(
        _ amount: Int, field: String, in key: String, upTo total: Int, publishing event: EventEnvelope,
        on stream: String
    ) {
        changes += ["count", index(of: key), index(of: stream), field, amount, total]
        changes += EventCodec.arguments(event)
    }

    private mutating func index(of key: String) -> Int {
        if let index = indexes[key] { return index }
        keys.append(key)
        indexes[key] = keys.count
        return keys.count
    }
}
