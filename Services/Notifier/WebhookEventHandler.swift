internal import Domain
internal import EventBus
internal import ExamStore
internal import Logging
internal import ServiceKit
internal import TaskQueue
internal import Webhooks

/// Makes a task for each webhook that is to get an event. Sending is the task's business, so a receiver that is slow or
/// away holds up no event.
///
/// Idempotent: the task's identifier follows from webhook and event.
struct WebhookEventHandler: EventHandler {
    let index: WebhookIndex
    let webhooks: WebhookStore
    let store: ExamStore
    let queue: TaskQueue
    let configuration: WebhookConfiguration
    let source: String
    let logger: Logger

    let eventTypes: Set<EventType> = []

    func handle(_ stored: StoredEvent, context: HandlingContext) async throws {
        for webhook in try await receivers(of: stored) {
            let task = WebhookTask(
                webhookID: webhook.id, eventID: stored.event.id, partition: stored.partition,
                position: stored.position.description)
            // In the place of the exam stands the webhook: so the queue's limit of one exam is a limit of one webhook.
            var draft = try TaskDraft(
                task, examID: ExamID(webhook.id), context: EventContext(causedBy: stored.event, source: source))
            draft.maxAttempts = configuration.maxAttempts
            draft.timeout = configuration.timeout * 2 + .seconds(10)
            if !configuration.retryDelays.isEmpty { draft.retryDelays = configuration.retryDelays }
            do {
                _ = try await queue.submit(raw: draft)
            } catch let error as TaskQueueError where error.code == .queueFull {
                // Receivers that are away must not hold up what else there is to tell people. The owner sees it.
                logger.error(
                    "A delivery was dropped: their queue is full", metadata: [LogKey.webhookID: "\(webhook.id)"])
                _ = try await webhooks.record(WebhookAnswer(.fault(.dropped), milliseconds: 0), of: webhook.id)
            }
        }
    }

    /// Those whose owners have to do with the event: that is looked at closely when it is delivered.
    private func receivers(of stored: StoredEvent) async throws -> [Webhook] {
        let webhooks = try await index.webhooks(for: stored)
        guard webhooks.contains(where: { $0.ownerRole != .admin }) else { return webhooks }
        guard let examID = stored.event.examID else { return webhooks.filter { $0.ownerRole == .admin } }
        guard let exam = try await store.exam(examID) else {
            return webhooks.filter {
                $0.ownerRole == .admin || WebhookPermission.isOwnDeletion(stored.event, of: $0)
            }
        }
        return webhooks.filter { $0.mayReceive(role: $0.ownerRole, exam: exam) }
    }
}
