internal import Audit
internal import Domain
internal import EventBus
package import Redis

/// Exams, sheets, marks, statistics and inboxes in Redis.
///
/// All records of an exam live in its partition, so a change of several of them and the events that report it are one
/// script: there is never a record without its event nor an event without its record. Changes are optimistic: read,
/// decide in Swift, commit on the condition that what was read still stands, else once more.
package final class ExamStore: Sendable {
    let client: RedisClient
    let keys: RedisKeys
    /// Number of partitions (`EVENT_PARTITIONS`).
    let partitions: Int
    /// Redis is asked every time, so nothing here is ever out of date; decoding is what takes long.
    let decoded = ExamCache<[UInt8], Exam> { record, _ in record.count }

    private static let commitScript = RedisScript(
        name: "commit", source: Array("local effect_guard = nil\n".utf8) + PackageResources.commit_lua)
    private static let guardedCommitScript = RedisScript(
        name: "guarded commit", source: EffectGuard.prelude + PackageResources.commit_lua)

    package init(client: RedisClient, keys: RedisKeys, partitions: Int) {
        self.client = client
        self.keys = keys
        self.partitions = partitions
    }

    func place(of exam: ExamID) -> ExamPlace {
        ExamPlace(keys: keys, partition: PartitionHash.partition(of: exam.rawValue, count: partitions), exam: exam)
    }

    func commit(_ transaction: RecordTransaction) async throws -> RecordTransaction.Outcome {
        let reply = try await client.evaluate(
            Self.commitScript, keys: transaction.keys, arguments: transaction.arguments)
        return switch reply.string {
        case "OK": .committed
        case "CONFLICT": .conflict
        default: throw ExamStoreError(.corrupt, "the commit script answered \(reply)")
        }
    }

    /// Commits the effect of an event, unless it was made before or the partition has another owner now.
    ///
    /// - Throws: `ExamStoreError` with `.contention` when a condition does not hold; the event is to be handled again.
    ///   `.superseded` when this replica does not own the partition any more.
    func commit(_ transaction: RecordTransaction, guardedBy guarding: EffectGuard) async throws {
        let reply = try await client.evaluate(
            Self.guardedCommitScript, keys: guarding.keys + transaction.keys,
            arguments: guarding.arguments + transaction.arguments)
        switch reply.string {
        case "OK", "APPLIED": return
        case "CONFLICT": throw ExamStoreError(.contention, "the record changed while an event was handled")
        case "STALE": throw ExamStoreError(.superseded, "another replica owns the partition now")
        default: throw ExamStoreError(.corrupt, "the commit script answered \(reply)")
        }
    }

    /// Runs `change` until its transaction is committed: `change` reads, and returns nil when nothing is to be done.
    ///
    /// - Throws: `ExamStoreError` with `.contention` after 20 conflicts in a row.
    func update<Result: Sendable>(
        _ change: () async throws -> (RecordTransaction?, Result)
    ) async throws -> Result {
        for attempt in 0..<20 {
            let (transaction, result) = try await change()
            guard let transaction else { return result }
            if try await commit(transaction) == .committed { return result }
            // Twice the pause each time, so that even dozens of writers of one record soon stop meeting.
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...min(1 << attempt, 200))))
        }
        throw ExamStoreError(.contention, "the record changes too fast; try again")
    }

    func decode<Value: Decodable>(_ type: Value.Type, _ value: RESPValue, of name: String) throws -> Value {
        guard let bytes = value.bytes else { throw ExamStoreError(.corrupt, "\(name) has no content") }
        do {
            return try JSON.decode(type, from: bytes)
        } catch {
            throw ExamStoreError(.corrupt, "\(name) cannot be decoded: \(error)")
        }
    }
}

/// The keys of one exam.
struct ExamPlace: Sendable {
    let keys: RedisKeys
    let partition: Int
    let exam: ExamID

    /// Hash: `json`, `version`, `layout`, `pages`.
    var record: String { keys.record(partition, "exam:\(exam)") }
    /// Sorted set of all sheets in order of upload.
    var sheets: String { keys.record(partition, "exam:\(exam):sheets") }
    /// Hash: `sequence` (of uploads), `results` (rises with every change of a mark), `students` and `doubtful` (rise with
    /// every entry into the lists of that name).
    var counters: String { keys.record(partition, "exam:\(exam):counters") }
    /// Hash: student number to sheet.
    var students: String { keys.record(partition, "exam:\(exam):students") }
    /// Hash: sheet to the number that was read on it, with `?` for doubtful digits, while nobody knows whose it is.
    var doubtful: String { keys.record(partition, "exam:\(exam):students:doubtful") }
    /// Hash: aggregated figures, kept by analytics.
    var statistics: String { keys.record(partition, "exam:\(exam):statistics") }
    /// Hash: what each sheet contributed to `statistics`.
    var contributions: String { keys.record(partition, "exam:\(exam):contributions") }
    /// Sorted set of the partition's exams by time of creation.
    var exams: String { keys.record(partition, "exams") }
    /// Sorted set of the partition's exams whose results students may see, by time of publication.
    var published: String { keys.record(partition, "published") }
    var events: String { keys.events(partition) }
    /// Stream of the partition's audit entries.
    var audit: String { keys.audit(partition) }

    /// Sorted set of the sheets in a status, in order of upload.
    func sheets(in status: SheetStatus) -> String { keys.record(partition, "exam:\(exam):sheets:\(status.rawValue)") }
    /// Hash: `json`, `summary`, `revision`.
    func sheet(_ id: SheetID) -> String { keys.record(partition, "sheet:\(id)") }
    /// Sorted set of the sheets whose page was joined to another sheet; only `purge` needs to know them.
    var joined: String { keys.record(partition, "exam:\(exam):joined") }
    /// Hash: report to where it is.
    var reports: String { keys.record(partition, "exam:\(exam):reports") }
    /// Sorted set of the exams in this partition that a user has to do with, by time of creation.
    func exams(of user: UserID) -> String { keys.record(partition, "user:\(user):exams") }
    /// Hash: uploaded file of several pages to how many of them became sheets, and with `:done` behind its name to how
    /// many of those are marked or have failed.
    var uploads: String { keys.record(partition, "exam:\(exam):uploads") }
    /// Hash about the latest re-marking: `key` it is made with, `total` sheets, `batch`.
    var remarking: String { keys.record(partition, "exam:\(exam):remark") }
    /// Sorted set of the sheets it still has to mark.
    var remarkingRest: String { keys.record(partition, "exam:\(exam):remark:rest") }
}
