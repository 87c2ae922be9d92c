package import Domain
internal import Redis

/// A part of the list of webhooks.
package struct WebhookPage: Sendable {
    package var webhooks: [Webhook]
    /// nil at the end.
    package var nextCursor: String?
}

/// All webhooks as they were at a time of Redis, or later.
package struct WebhookSnapshot: Sendable {
    /// Milliseconds since 1970: what was changed before it is seen here.
    package var time: Int64
    /// The same while nothing changes.
    package var version: Int
    package var webhooks: [Webhook]
}

extension WebhookStore {
    /// Webhooks by id.
    ///
    /// - Parameters:
    ///   - owner: nil for those of all.
    ///   - limit: 1 to 200.
    package func webhooks(of owner: UserID?, cursor: String?, limit: Int) async throws -> WebhookPage {
        let limit = min(max(limit, 1), 200)
        let list = owner.map { all(of: $0) } ?? all
        let reply = try await client.send(
            ["ZRANGE", list, cursor.map { "(\($0)" } ?? "-", "+", "BYLEX", "LIMIT", 0, limit + 1])
        let ids = (reply.array ?? []).compactMap(\.string)
        guard !ids.isEmpty else { return WebhookPage(webhooks: [], nextCursor: nil) }
        let part = Array(ids.prefix(limit))
        let values = try await client.send(RedisCommand("HMGET", arguments: [records] + part)).array ?? []
        return WebhookPage(
            webhooks: try values.compactMap { try $0.bytes.map(decode) },
            nextCursor: ids.count > limit ? part.last : nil)
    }

    /// - Returns: of each of `ids`.
    package func states(of ids: [String]) async throws -> [WebhookState] {
        try await client.pipeline(ids.map { ["HGETALL", state(of: $0)] }).map { WebhookState($0.fields ?? []) }
    }

    /// All webhooks that are enabled.
    ///
    /// - Parameter known: what was read before; not read again when nothing has changed.
    package func snapshot(after known: WebhookSnapshot?) async throws -> WebhookSnapshot {
        // The time first: it must not be later than what is read.
        let replies = try await client.pipeline([["TIME"], ["GET", version]])
        if let error = replies.compactMap(\.error).first { throw RedisError(refused: error) }
        guard let clock = replies[0].array, clock.count == 2, let seconds = clock[0].int, let micros = clock[1].int
        else { throw WebhookError(.corrupt, "Redis did not tell the time") }
        let time = Int64(seconds) * 1000 + Int64(micros / 1000)
        let version = replies[1].int ?? 0
        if let known, known.version == version {
            return WebhookSnapshot(time: time, version: version, webhooks: known.webhooks)
        }
        let values = try await client.send(["HVALS", records]).array ?? []
        let webhooks = try values.compactMap { try $0.bytes.map(decode) }.filter { $0.disabled == nil }
        return WebhookSnapshot(time: time, version: version, webhooks: webhooks)
    }
}
