internal import Audit
package import Domain
package import Redis

/// Webhooks in Redis, beside the users they belong to, so that a change of one and its entry of the audit log are one
/// script.
package struct WebhookStore: Sendable {
    let client: RedisClient
    let keys: RedisKeys

    private static let changeScript = RedisScript(name: "change webhook", source: PackageResources.change_webhook_lua)

    package init(client: RedisClient, keys: RedisKeys) {
        self.client = client
        self.keys = keys
    }

    /// Hash: webhook to record.
    var records: String { keys.global("{users}:webhooks") }
    /// Sorted set of all, by id.
    var all: String { keys.global("{users}:webhooks:all") }
    /// Rises with every change of a record.
    var version: String { keys.global("{users}:webhooks:version") }
    /// Sorted set of an owner's, by id.
    func all(of owner: UserID) -> String { keys.global("{users}:webhooks:of:\(owner)") }
    /// Hash: how its deliveries went.
    func state(of id: String) -> String { keys.global("{users}:webhooks:state:\(id)") }

    package func webhook(_ id: String) async throws -> Webhook? {
        try await stored(id)?.webhook
    }

    /// - Returns: what is stored: the webhook, or what was created by that identifier before.
    /// - Throws: `WebhookError` with `.tooMany`.
    package func create(_ webhook: Webhook, context: EventContext) async throws -> Webhook {
        let entry = entry(.webhookCreated, webhook, context, ["event_types": Self.list(webhook)])
        switch try await commit(webhook, over: [], of: webhook, entry) {
        case .done: return webhook
        case .changed:
            guard let stored = try await stored(webhook.id), stored.webhook.owner == webhook.owner else {
                throw WebhookError(.contention, "the webhook changes too fast; try again")
            }
            return stored.webhook
        }
    }

    /// - Parameter change: may be called several times.
    /// - Throws: `WebhookError` with `.notFound` or `.contention`; what `change` throws.
    package func change(
        _ id: String, context: EventContext, _ change: (inout Webhook) throws -> Void
    ) async throws -> Webhook {
        for _ in 0..<20 {
            guard let old = try await stored(id) else { throw Self.notFound(id) }
            var webhook = old.webhook
            try change(&webhook)
            let changed = webhook.parts(differingFrom: old.webhook)
            if changed.isEmpty { return webhook }
            webhook.updatedAt = .now
            var details = ["changed": changed.joined(separator: ","), "event_types": Self.list(webhook)]
            details["disabled"] = webhook.disabled?.reason
            let entry = entry(.webhookChanged, webhook, context, details)
            if try await commit(webhook, over: old.bytes, of: webhook, entry) == .done { return webhook }
        }
        throw WebhookError(.contention, "the webhook changes too fast; try again")
    }

    /// - Throws: `WebhookError` with `.notFound` or `.contention`.
    package func remove(_ id: String, context: EventContext) async throws {
        for _ in 0..<20 {
            guard let old = try await stored(id) else { throw Self.notFound(id) }
            let entry = entry(.webhookRemoved, old.webhook, context, [:])
            if try await commit(nil, over: old.bytes, of: old.webhook, entry) == .done { return }
        }
        throw WebhookError(.contention, "the webhook changes too fast; try again")
    }

    // MARK: Inside

    struct Stored: Sendable {
        let webhook: Webhook
        let bytes: [UInt8]
    }

    func stored(_ id: String) async throws -> Stored? {
        guard Webhook.isID(id), let bytes = try await client.send(["HGET", records, id]).bytes else { return nil }
        return Stored(webhook: try decode(bytes), bytes: bytes)
    }

    /// Its text is not in the error: it holds secrets.
    func decode(_ bytes: [UInt8]) throws -> Webhook {
        guard let webhook = try? JSON.decode(Webhook.self, from: bytes) else {
            throw WebhookError(.corrupt, "the record of a webhook cannot be decoded")
        }
        return webhook
    }

    private enum Outcome {
        case done
        /// The record is not what it was.
        case changed
    }

    private func commit(
        _ new: Webhook?, over old: [UInt8], of webhook: Webhook, _ entry: AuditEntry
    ) async throws -> Outcome {
        let isEnabled = new?.disabled == nil
        let reply = try await client.evaluate(
            Self.changeScript,
            keys: [records, all, all(of: webhook.owner), version, state(of: webhook.id), keys.auditUsers],
            arguments: [
                webhook.id, old, try new.map { try JSON.encode($0) } ?? [], Webhook.maxPerOwner, Webhook.maxInAll,
                isEnabled ? "forget" : "", AuditCodec.maxEntries,
            ] + AuditCodec.arguments(entry))
        switch reply.string {
        case "OK": return .done
        case "CHANGED": return .changed
        case "OWNER":
            throw WebhookError(.tooMany, "a user can have \(Webhook.maxPerOwner) webhooks")
        case "ALL": throw WebhookError(.tooMany, "the system can have \(Webhook.maxInAll) webhooks")
        default: throw WebhookError(.corrupt, "the script of webhooks answered \(reply)")
        }
    }

    /// Not the address: it may hold what only its owner should know.
    private func entry(
        _ action: AuditAction, _ webhook: Webhook, _ context: EventContext, _ details: [String: String]
    ) -> AuditEntry {
        AuditEntry(
            action, subject: "webhook/\(webhook.id)", examID: nil, context: context,
            details: details.merging(["owner": webhook.owner.rawValue]) { first, _ in first })
    }

    private static func list(_ webhook: Webhook) -> String {
        webhook.eventTypes.map(\.rawValue).joined(separator: ",")
    }

    private static func notFound(_ id: String) -> WebhookError {
        WebhookError(.notFound, "there is no webhook \(id)")
    }
}

extension Webhook {
    /// Names of what differs, without the values.
    fileprivate func parts(differingFrom old: Webhook) -> [String] {
        var parts: [String] = []
        if url != old.url { parts.append("url") }
        if eventTypes != old.eventTypes { parts.append("event_types") }
        if examIDs != old.examIDs { parts.append("exam_ids") }
        if description != old.description { parts.append("description") }
        if ownerRole != old.ownerRole { parts.append("owner_role") }
        if secret != old.secret || formerSecret != old.formerSecret { parts.append("secret") }
        if disabled != old.disabled { parts.append("disabled") }
        return parts
    }
}
