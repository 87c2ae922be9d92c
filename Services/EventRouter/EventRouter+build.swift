internal import EventBus
internal import ServiceKit
internal import ServiceLifecycle

/// Turns facts into the next tasks: the one place that knows what follows what.
enum EventRouter {
    @Sendable
    static func services(_ context: ServiceContext) async throws -> [any Service] {
        let handlers: [any EventHandler] = [
            ExamEventHandler(store: context.store, queue: context.queue, source: context.source),
            ProcessingEventHandler(store: context.store, queue: context.queue, source: context.source),
            GradingEventHandler(store: context.store, queue: context.queue, source: context.source),
        ]
        return [
            EventSubscriber(
                bus: context.bus, group: context.group, replica: context.settings.replica, handlers: handlers,
                logger: context.logger),
            ReplayHost(
                bus: context.bus, group: context.group, replica: context.settings.replica, handlers: handlers,
                logger: context.logger),
            StreamRetention(bus: context.bus, logger: context.logger),
        ]
    }
}
