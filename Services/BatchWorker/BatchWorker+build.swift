internal import ServiceKit
internal import ServiceLifecycle
internal import TaskQueue

/// Work on whole exams, and reports.
enum BatchWorker {
    @Sendable
    static func services(_ context: ServiceContext) async throws -> [any Service] {
        let batches = BatchTaskHandler(
            store: context.store, bus: context.bus, source: context.source)
        let reports = ReportTaskHandler(
            store: context.store, blobs: context.blobs, bus: context.bus, source: context.source)
        return [
            TaskWorker(
                queue: context.queue, handlers: [batches, reports], maxWorkers: context.settings.maxWorkers,
                name: context.settings.replica, logger: context.logger)
        ]
    }
}
