internal import EventBus
internal import ServiceKit
internal import ServiceLifecycle

/// Tells people what they have to know.
enum Notifier {
    @Sendable
    static func services(_ context: ServiceContext) async throws -> [any Service] {
        let handlers: [any EventHandler] = [NotificationEventHandler(store: context.store, source: context.source)]
        return [
            EventSubscriber(
                bus: context.bus, group: context.group, replica: context.settings.replica, handlers: handlers,
                logger: context.logger),
            ReplayHost(
                bus: context.bus, group: context.group, replica: context.settings.replica, handlers: handlers,
                logger: context.logger),
        ]
    }
}
