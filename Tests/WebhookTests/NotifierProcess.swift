import Domain
import Foundation
import Logging
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import EventBus
@testable import Notifier
@testable import Webhooks

/// The notifier as a process of its own.
struct NotifierProcess {
    let process: WatchedProcess

    init(_ redis: RedisServer) throws {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let program = URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("notifier").path
        process = try WatchedProcess(
            [program],
            environment: RunningNotifier.environment(redis).merging(RunningNotifier.open) { first, _ in first })
    }
}

final class Flag: Sendable {
    private let flag = Mutex(false)

    var value: Bool {
        get { flag.withLock { $0 } }
        set { flag.withLock { $0 = newValue } }
    }
}

extension RunningNotifier {
    /// What a worker of deliveries calls.
    func handler(_ change: (inout WebhookConfiguration) -> Void = { _ in }) throws -> WebhookTaskHandler {
        var configuration = try WebhookConfiguration(reader: context.reader)
        change(&configuration)
        return WebhookTaskHandler(
            webhooks: webhooks, permission: WebhookPermission(store: store, accounts: accounts),
            sender: WebhookSender(configuration: configuration), bus: context.bus, store: store,
            configuration: configuration, source: "/test", logger: context.logger)
    }

    /// The task of the latest event of a type of an exam, which is not on any queue.
    func task(_ webhook: Webhook, _ exam: ExamID, _ type: EventType) async throws -> WebhookTask {
        let page = try await context.bus.history(
            EventQuery(filter: EventFilter(examID: exam, types: [type])))
        let stored = try #require(page.events.last)
        return WebhookTask(
            webhookID: webhook.id, eventID: stored.event.id, partition: stored.partition,
            position: stored.position.description)
    }

    func taskOfNewExam(_ webhook: Webhook) async throws -> WebhookTask {
        try await task(webhook, try await createExam(), ExamCreated.type)
    }
}
