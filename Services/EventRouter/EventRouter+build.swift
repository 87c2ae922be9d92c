internal import Coordination
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
        // What one replica does for all.
        let lock = DistributedLock(
            name: "event-router", holder: context.settings.replica, client: context.client, keys: context.settings.keys)
        return [
            EventSubscriber(
                bus: context.bus, group: context.group, replica: context.settings.replica, handlers: handlers,
                logger: context.logger),
            ReplayHost(
                bus: context.bus, group: context.group, replica: context.settings.replica, handlers: handlers,
                logger: context.logger),
            LeaderElection(lock: lock, logger: context.logger) { fence in
                try await withThrowingTaskGroup(of: Void.self) { duties in
                    duties.addTask { try await StreamRetention(bus: context.bus, logger: context.logger).run() }
                    duties.addTask { try await HealthChecks(context: context).run(under: fence) }
                    try await duties.waitForAll()
                }
            },
        ]
    }
}
