package import Domain
package import Logging

/// Reads scans in confined processes, so that a hostile or damaged file costs its own page and nothing else.
package final class ScanReader: Sendable {
    private let pool: WorkerPool<ReaderWorker>

    /// - Parameter workers: how many pages are read at the same time, each by a process of its own; 1 to 64. A process
    ///   starts with the first page it reads.
    package init(configuration: ScanReaderConfiguration, workers: Int, logger: Logger) {
        precondition((1...64).contains(workers), "1 to 64 workers")
        pool = WorkerPool((0..<workers).map { _ in ReaderWorker(configuration, logger: logger) })
    }

    /// Reads one page. Waits for a free process first; then takes at most the configured deadline.
    ///
    /// Cancelling the task kills the process that works on the page and fails with ``ReadingFailure/Code/timedOut``.
    /// - Parameter expectedExam: a page whose code names another exam is refused.
    package func read(
        _ scan: ScanSource, layout: SheetLayout, expectedExam: ExamID?
    ) async throws(ReadingFailure) -> PageReading {
        try await read(scan, .layout(layout, expectedExam: expectedExam))
    }

    /// Reads one page of a sheet that OMRChecker's `template.json` at `path` describes.
    package func read(
        _ scan: ScanSource, omrCheckerTemplate path: String
    ) async throws(ReadingFailure) -> PageReading {
        try await read(scan, .template(path))
    }

    /// Makes a picture of a page, or of a part of it, as it lies flat: a grey JPEG.
    ///
    /// - Parameter layout: for a part, of that page alone.
    package func picture(
        of subject: PictureSubject, _ scan: ScanSource, layout: SheetLayout, expectedExam: ExamID?
    ) async throws(ReadingFailure) -> [UInt8] {
        let task = ReaderChild.Subject.layout(layout, expectedExam: expectedExam, picture: subject)
        guard case .image(let image) = try await product(scan, task) else { throw Self.confused }
        return image
    }

    /// Ends all reader processes; pages that are being read fail, and so do later ones.
    package func shutdown() async {
        for worker in pool.all {
            worker.interrupt()
            await worker.stop()
        }
    }

    private static let confused = ReadingFailure(.readerCrashed, "The reader answered what it was not asked.")

    private func read(_ scan: ScanSource, _ subject: ReaderChild.Subject) async throws(ReadingFailure) -> PageReading {
        guard case .reading(let reading) = try await product(scan, subject) else { throw Self.confused }
        return reading
    }

    private func product(
        _ scan: ScanSource, _ subject: ReaderChild.Subject
    ) async throws(ReadingFailure) -> ReaderChild.Product {
        guard let worker = await pool.borrow() else { throw ReadingFailure(.timedOut, "Reading was cancelled.") }
        let result = await withTaskCancellationHandler {
            await worker.read(scan, subject)
        } onCancel: {
            worker.interrupt()
        }
        pool.giveBack(worker)
        return try result.get()
    }
}
