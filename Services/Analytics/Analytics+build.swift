internal import EventBus
internal import ServiceKit
internal import ServiceLifecycle

/// Keeps the figures of every exam.
enum Analytics {
    @Sendable
    static func services(_ context: ServiceContext) async throws -> [any Service] {
        [
            EventSubscriber(
                bus: context.bus, group: context.group, replica: context.settings.replica,
                handlers: [AnalyticsEventHandler(store: context.store, source: context.source)],
                logger: context.logger)
        ]
    }
}
