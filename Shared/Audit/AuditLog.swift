internal import Domain
package import Redis

/// Who did what, when and from where: written with the change or before the action it tells of, never changed, removed
/// only when its retention is over.
///
/// Entries about an exam are in a stream of the exam's partition, so that the script that changes the exam can write
/// them; changes of users are in one beside the users; the rest are spread by their subject. Refused sign-ins have a
/// stream of their own.
package struct AuditLog: Sendable {
    let client: RedisClient
    let keys: RedisKeys
    /// Number of partitions (`EVENT_PARTITIONS`).
    let partitions: Int

    /// Refused sign-ins beyond it drive out older ones.
    static let maxRefusals = 100_000

    package init(client: RedisClient, keys: RedisKeys, partitions: Int) {
        self.client = client
        self.keys = keys
        self.partitions = partitions
    }

    /// Writes an entry about an action that is no script of its own. To be awaited before the action is made or its
    /// outcome is given away: what cannot be recorded is not done.
    ///
    /// - Throws: `RedisError`.
    package func append(_ entry: AuditEntry) async throws {
        let isRefusal = entry.action == .signInRefused
        let partition = PartitionHash.partition(of: entry.examID?.rawValue ?? entry.subject, count: partitions)
        _ = try await client.send(
            RedisCommand(
                "XADD",
                arguments: [
                    isRefusal ? keys.auditRefusals : keys.audit(partition), "MAXLEN", "~",
                    isRefusal ? Self.maxRefusals : AuditCodec.maxEntries, "*",
                ] + AuditCodec.arguments(entry)))
    }

    /// Removes what is older than `retention` by the server's clock.
    ///
    /// - Returns: how many entries were removed.
    @discardableResult
    package func trim(retention: Duration) async throws -> Int {
        let seconds = try await client.send(["TIME"]).array?.first?.int ?? 0
        let oldest = max(0, Int64(seconds) - retention.components.seconds) * 1000
        let replies = try await client.pipeline(streams.map { ["XTRIM", $0.key, "MINID", oldest] })
        return try replies.reduce(0) { sum, reply in
            if let error = reply.error { throw RedisError(refused: error) }
            return sum + (reply.int ?? 0)
        }
    }

    /// All streams by their numbers in cursors.
    var streams: [(number: Int, key: String)] {
        (0..<partitions).map { ($0, keys.audit($0)) }
            + [(partitions, keys.auditRefusals), (partitions + 1, keys.auditUsers)]
    }
}
