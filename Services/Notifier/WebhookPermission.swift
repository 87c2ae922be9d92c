internal import Accounts
internal import Domain
internal import ExamStore
internal import Webhooks

/// Whether the owner of a webhook may see an event now.
struct WebhookPermission: Sendable {
    let store: ExamStore
    let accounts: Accounts

    /// The role the owner has now: for a user of this system's own what the record says, for another what the token said
    /// with which the webhook was made or changed, unless everything was taken back from that user since.
    ///
    /// - Returns: nil for one who may do nothing.
    func role(of webhook: Webhook) async throws -> Role? {
        if let user = try await accounts.user(webhook.owner) { return user.isDisabled ? nil : user.role }
        if let revoked = try await accounts.latestRevocation(of: webhook.owner), revoked >= webhook.updatedAt {
            return nil
        }
        return webhook.ownerRole
    }

    func allows(_ webhook: Webhook, _ event: EventEnvelope) async throws -> Bool {
        guard let role = try await role(of: webhook) else { return false }
        if role == .admin { return true }
        guard let exam = event.examID else { return false }
        if let exam = try await store.exam(exam) { return webhook.mayReceive(role: role, exam: exam) }
        return Self.isOwnDeletion(event, of: webhook)
    }

    /// Nothing is left that would tell whose a deleted exam was. Only administrators and its owner can have deleted it.
    static func isOwnDeletion(_ event: EventEnvelope, of webhook: Webhook) -> Bool {
        event.type == ExamDeleted.type && event.actor == webhook.owner && webhook.ownerRole == .teacher
    }
}
