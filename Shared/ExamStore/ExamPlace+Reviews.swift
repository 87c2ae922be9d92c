internal import Domain
internal import Redis

/// Where the reviews of an exam are. A review that waits is in the list of its target and in one queue; a settled one in
/// the list of settled ones of its target.
extension ExamPlace {
    /// Scores in a queue from here on are ends of leases in ms, those below numbers of arrival.
    static let leastLeaseScore = 1 << 40

    /// Hash: review to its JSON.
    var reviews: String { keys.record(partition, "exam:\(exam):reviews") }
    /// Hash: review under a lease to `fence end user`.
    var reviewLeases: String { keys.record(partition, "exam:\(exam):reviews:leases") }
    /// Hash: `sequence` of arrivals, `fence` given last; numbers of reviews: `pending` in all, `pending:<target>`,
    /// `settled:<target>`, `queue:<queue>`.
    var reviewCounters: String { keys.record(partition, "exam:\(exam):reviews:counters") }
    /// Sorted set of the partition's exams with reviews that wait, by time of the exam's creation.
    var reviewedExams: String { Self.reviewedExams(keys, partition) }

    static func reviewedExams(_ keys: RedisKeys, _ partition: Int) -> String { keys.record(partition, "reviews:exams") }

    /// Sorted set of reviews of a target by number of arrival.
    func reviews(of target: String, isSettled: Bool) -> String {
        keys.record(partition, "exam:\(exam):reviews:\(isSettled ? "settled" : "pending"):\(target)")
    }

    /// Sorted set of those that wait, by number of arrival or end of the lease.
    func reviewQueue(_ name: String) -> String { keys.record(partition, "exam:\(exam):reviews:queue:\(name)") }

    /// The queue of a target, or of what is assigned to a user.
    static func queueName(_ target: String, _ assignee: UserID?) -> String {
        assignee.map { "\(target)@\($0)" } ?? target
    }
}

/// Numbers of an exam's reviews.
struct ReviewCounters {
    private var values: [String: Int] = [:]

    init(_ reply: RESPValue) {
        for (name, value) in reply.fields ?? [] { values[name] = value.int }
    }

    /// Targets of which there are or were reviews.
    func targets(isSettled: Bool) -> [String] { names("\(isSettled ? "settled" : "pending"):", where: { $0 > 0 }) }

    func hasQueue(_ name: String) -> Bool { values["queue:\(name)", default: 0] > 0 }

    /// Queues with something in them, or all there ever were.
    func queues(isEmptyToo: Bool = false) -> [String] { names("queue:", where: { isEmptyToo || $0 > 0 }) }

    /// All targets there ever were.
    var allTargets: [String] {
        Array(Set(names("pending:", where: { _ in true }) + names("settled:", where: { _ in true })))
    }

    private func names(_ prefix: String, where holds: (Int) -> Bool) -> [String] {
        values.filter { $0.key.hasPrefix(prefix) && holds($0.value) }.map { String($0.key.dropFirst(prefix.count)) }
            .sorted()
    }
}
