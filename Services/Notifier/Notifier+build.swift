internal import Accounts
internal import EventBus
internal import ServiceKit
internal import ServiceLifecycle
internal import TaskQueue
internal import Webhooks

/// Tells people, and programs that asked for it, what they have to know.
enum Notifier {
    @Sendable
    static func services(_ context: ServiceContext) async throws -> [any Service] {
        let configuration = try WebhookConfiguration(reader: context.reader)
        let webhooks = WebhookStore(client: context.client, keys: context.settings.keys)
        let handlers: [any EventHandler] = [
            NotificationEventHandler(store: context.store, source: context.source),
            WebhookEventHandler(
                index: WebhookIndex(store: webhooks), webhooks: webhooks, store: context.store, queue: context.queue,
                configuration: configuration, source: context.source, logger: context.logger),
        ]
        let deliveries = WebhookTaskHandler(
            webhooks: webhooks,
            permission: WebhookPermission(
                store: context.store, accounts: Accounts(client: context.client, keys: context.settings.keys)),
            sender: WebhookSender(configuration: configuration), bus: context.bus, store: context.store,
            configuration: configuration, source: context.source, logger: context.logger)
        return [
            WebhookLimit(queue: context.queue, perWebhook: configuration.concurrencyPerWebhook, logger: context.logger),
            TaskWorker(
                queue: context.queue, handlers: [deliveries], maxWorkers: configuration.concurrency,
                name: context.settings.replica, logger: context.logger),
            EventSubscriber(
                bus: context.bus, group: context.group, replica: context.settings.replica, handlers: handlers,
                logger: context.logger),
            ReplayHost(
                bus: context.bus, group: context.group, replica: context.settings.replica, handlers: handlers,
                logger: context.logger),
        ]
    }
}
