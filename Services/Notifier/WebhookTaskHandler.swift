internal import Domain
internal import EventBus
internal import ExamStore
internal import Logging
internal import ServiceKit
internal import TaskQueue
internal import Webhooks

/// Sends an event to a webhook.
///
/// At least once: a process that dies between the receiver's answer and its record sends again, with the same id.
struct WebhookTaskHandler: TaskHandler {
    let webhooks: WebhookStore
    let permission: WebhookPermission
    let sender: WebhookSender
    let bus: EventBus
    let store: ExamStore
    let configuration: WebhookConfiguration
    let source: String
    let logger: Logger

    /// How the task ended.
    struct Report: Encodable, Equatable {
        enum Outcome: String, Encodable {
            case delivered
            /// The webhook was removed, disabled or changed, or its owner may not see the event any more.
            case withheld
        }

        var outcome: Outcome
        var status: Int?
        var milliseconds: Int?
    }

    func run(_ task: WebhookTask, context: TaskContext) async throws -> TaskResult {
        // The system acts, not whoever caused the event.
        let context = EventContext(
            source: source, correlationID: context.correlationID, causationID: context.taskID.rawValue)
        return try TaskResult(try await deliver(task, context: context))
    }

    func deliver(_ task: WebhookTask, context: EventContext) async throws -> Report {
        guard let webhook = try await webhooks.webhook(task.webhookID), webhook.disabled == nil else {
            return Report(outcome: .withheld)
        }
        guard let position = StreamPosition(task.position),
            let stored = try await bus.event(at: position, partition: task.partition), stored.event.id == task.eventID
        else { throw TaskFailure(retryable: false, message: "the event is kept no longer") }
        guard webhook.wants(stored.event.type, of: stored.event.examID),
            try await permission.allows(webhook, stored.event)
        else { return Report(outcome: .withheld) }

        let answer = await sender.send(
            try EventCodec.cloudEventJSON(stored), id: stored.event.id, to: webhook)
        // What was cut short by the stop of this process says nothing about the receiver.
        try Task.checkCancellation()
        let failures = try await webhooks.record(answer, of: webhook.id)
        if answer.isAccepted {
            return Report(outcome: .delivered, status: answer.status, milliseconds: answer.milliseconds)
        }
        if answer.isGone {
            try await disable(webhook, because: "The receiver answered 410: it wants nothing any more.", context)
            throw TaskFailure(retryable: false, message: "answered 410")
        }
        if configuration.isHopeless(failures: failures.count, span: failures.span) {
            try await disable(
                webhook,
                because: "\(failures.count) attempts in a row failed; the last one: \(answer.reason ?? "failed").",
                context)
        }
        throw TaskFailure(retryable: true, message: answer.reason ?? "failed")
    }

    private func disable(_ webhook: Webhook, because reason: String, _ context: EventContext) async throws {
        // The message first: who dies in between says it again, to no effect.
        let since = try await webhooks.states(of: [webhook.id]).first?.failingSince ?? webhook.updatedAt
        try await store.deliver(
            InboxMessage(
                id: "webhook:\(webhook.id):\(since.milliseconds)", kind: .webhookDisabled, examID: nil,
                subject: webhook.id, detail: reason, time: .now),
            to: webhook.owner, context: context)
        if try await webhooks.disable(webhook.id, reason: reason, context: context) != nil {
            logger.warning("A webhook was disabled", metadata: [LogKey.webhookID: "\(webhook.id)"])
        }
    }
}
