internal import EventBus
internal import ServiceKit
internal import ServiceLifecycle

/// Keeps the figures of every exam.
enum Analytics {
    @Sendable
    static func services(_ context: ServiceContext) async throws -> [any Service] {
        let handlers: [any EventHandler] = [AnalyticsEventHandler(store: context.store, source: context.source)]
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
