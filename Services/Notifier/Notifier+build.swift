internal import EventBus
internal import ServiceKit
internal import ServiceLifecycle

/// Tells people what they have to know.
enum Notifier {
    @Sendable
    static func services(_ context: ServiceContext) async throws -> [any Service] {
        [
            EventSubscriber(
                bus: context.bus, group: context.group, replica: context.settings.replica,
                handlers: [NotificationEventHandler(store: context.store, source: context.source)],
                logger: context.logger)
        ]
    }
}
