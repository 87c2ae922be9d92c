internal import ScanReader
internal import ServiceKit
internal import ServiceLifecycle
internal import TaskQueue

/// Reads uploaded page images in confined child processes.
enum OCRWorker {
    @Sendable
    static func services(_ context: ServiceContext) async throws -> [any Service] {
        var configuration = ScanReaderConfiguration()
        // The reader gives up before the task does, so that the sheet shows what happened to its page.
        configuration.deadline = min(configuration.deadline, context.settings.queue.taskTimeout * 3 / 4)
        let reader = ScanReader(
            configuration: configuration, workers: context.settings.maxWorkers, logger: context.logger)
        let handler = OCRTaskHandler(
            store: context.store, blobs: context.blobs, bus: context.bus, reader: reader, source: context.source,
            replica: context.settings.replica)
        return [
            ReaderLifetime(reader: reader),
            TaskWorker(
                queue: context.queue, handlers: [handler], maxWorkers: context.settings.maxWorkers,
                name: context.settings.replica, logger: context.logger),
        ]
    }
}

/// Ends the reader's children after the worker has stopped.
struct ReaderLifetime: Service {
    let reader: ScanReader

    func run() async throws {
        try? await gracefulShutdown()
        await reader.shutdown()
    }
}
