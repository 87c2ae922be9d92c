package import Domain
internal import Redis

extension WebhookStore {
    private static let recordScript = RedisScript(
        name: "record delivery", source: PackageResources.record_delivery_lua)

    /// Failures in a row, up to now.
    package struct Failures: Equatable, Sendable {
        package var count: Int
        /// From the first one on.
        package var span: Duration
    }

    /// Notes how an attempt to deliver ended. Nothing is noted of a webhook that is gone.
    package func record(_ answer: WebhookAnswer, of id: String) async throws -> Failures {
        let reply = try await client.evaluate(
            Self.recordScript, keys: [records, state(of: id)],
            arguments: [id, answer.status.map(String.init) ?? "", answer.reason ?? ""])
        guard let values = reply.array, values.count == 2, let count = values[0].int, let span = values[1].int else {
            throw WebhookError(.corrupt, "the script of deliveries answered \(reply)")
        }
        return Failures(count: count, span: .milliseconds(span))
    }

    /// Disables a webhook that is enabled.
    ///
    /// - Returns: the webhook if this call did it; nil when it was disabled before, or is gone.
    package func disable(_ id: String, reason: String, context: EventContext) async throws -> Webhook? {
        let disabling = Webhook.Disabling(since: .now, reason: reason)
        do {
            let webhook = try await change(id, context: context) { webhook in
                if webhook.disabled == nil { webhook.disabled = disabling }
            }
            return webhook.disabled == disabling ? webhook : nil
        } catch let error as WebhookError where error.code == .notFound {
            return nil
        }
    }
}
