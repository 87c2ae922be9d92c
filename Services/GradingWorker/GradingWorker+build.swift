internal import ServiceKit
internal import ServiceLifecycle
internal import TaskQueue

/// Marks sheets that have been read.
enum GradingWorker {
    @Sendable
    static func services(_ context: ServiceContext) async throws -> [any Service] {
        let handler = GradingTaskHandler(
            store: context.store, bus: context.bus, source: context.source, replica: context.settings.replica)
        return [
            TaskWorker(
                queue: context.queue, handlers: [handler], maxWorkers: context.settings.maxWorkers,
                name: context.settings.replica, logger: context.logger)
        ]
    }
}
