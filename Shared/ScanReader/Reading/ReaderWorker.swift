internal import Domain
internal import Glibc
internal import Logging
internal import Synchronization

/// Reads one page at a time with one reader process, which it starts when first needed and replaces when it fails, has
/// grown, or has read enough.
actor ReaderWorker {
    private let configuration: ScanReaderConfiguration
    private let logger: Logger
    private let executor = QueueExecutor("scan-reader")
    private var child: ReaderChild?
    private var stopped = false
    /// The process that works right now, to be killed when the page is cancelled.
    private let working = Mutex<ConfinedProcess?>(nil)

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(_ configuration: ScanReaderConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Kills the process that works; the page that is being read fails.
    nonisolated func interrupt() {
        working.withLock { $0?.kill() }
    }

    /// The process that works right now.
    nonisolated var workingProcess: Int32? { working.withLock { $0?.processID } }

    func stop() {
        stopped = true
        child = nil
    }

    func read(_ scan: ScanSource, _ subject: ReaderChild.Subject) -> Result<ReaderChild.Product, ReadingFailure> {
        var deadline = ContinuousClock.now + configuration.deadline
        defer { working.withLock { $0 = nil } }
        do throws(ReadingFailure) {
            if stopped { throw ReadingFailure(.readerUnavailable, "The reader has been shut down.") }
            let image = try image(of: scan, until: deadline)
            return .success(try read(image.bytes, imageIndex: image.index, subject, until: &deadline))
        } catch {
            return .failure(Task.isCancelled ? Self.cancelled : error)
        }
    }

    /// For a process to start and confine itself.
    private static let startingTime = Duration.seconds(30)

    private static let cancelled = ReadingFailure(.timedOut, "Reading was cancelled.")

    /// What the reader process is given: of a file of many pages, the page alone. What that costs does not depend on how
    /// many there are.
    private func image(
        of scan: ScanSource, until deadline: ContinuousClock.Instant
    ) throws(ReadingFailure) -> (bytes: [UInt8], index: Int) {
        let file = try open(scan)
        let start = file.read(at: 0, count: 1_024)
        switch FileKind(start: start) {
        case nil, .zip:
            throw ReadingFailure(.notAnImage, FileKind.advice(start: start))
        case .pdf:
            let document: ConfinedCommand.Input =
                switch scan.content {
                case .bytes(let bytes): .bytes(bytes)
                case .path(let path): .file(path)
                }
            let page = try PDFTools(configuration).render(
                document, page: scan.page, until: deadline, started: publish)
            return (page, 0)
        case .tiff:
            if let page = TIFFPageCopy.bytes(ofPage: scan.page, in: file, limit: configuration.maxImageBytes) {
                return (page, 0)
            }
            fallthrough
        case .png, .jpeg:
            guard file.count <= configuration.maxImageBytes else { throw tooLarge(file.count) }
            return (file.read(at: 0, count: file.count), scan.page)
        }
    }

    private func open(_ scan: ScanSource) throws(ReadingFailure) -> BoundedFile {
        switch scan.content {
        case .bytes(let bytes): return BoundedFile(bytes)
        case .path(let path):
            do {
                return try BoundedFile(path: path)
            } catch {
                throw ReadingFailure(.readerUnavailable, "The scan \(path) cannot be read: \(error).")
            }
        }
    }

    private func tooLarge(_ bytes: Int) -> ReadingFailure {
        ReadingFailure(
            .imageTooLarge,
            "The file has \(bytes >> 20) MiB; \(configuration.maxImageBytes >> 20) MiB are allowed. Scan at 200 to 300 dpi."
        )
    }

    // MARK: The reader process

    private func read(
        _ bytes: [UInt8], imageIndex: Int, _ subject: ReaderChild.Subject,
        until deadline: inout ContinuousClock.Instant
    ) throws(ReadingFailure) -> ReaderChild.Product {
        while true {
            let begin = ContinuousClock.now
            let fresh = try prepareChild(for: subject)
            // The page is not to blame for a machine that is slow to start a process.
            deadline += begin.duration(to: .now)
            do {
                child?.process.allowProcessorTime(seconds: ReaderChild.processorSeconds(configuration))
                guard let result = try child?.read(bytes, imageIndex: imageIndex, subject, until: deadline) else {
                    throw ReadingFailure(.readerUnavailable, "The reader has been shut down.")
                }
                recycleIfWorn()
                return try result.get()
            } catch let failure as ReadingFailure {
                throw failure
            } catch {
                child = nil
                logger.warning("a reader process failed", metadata: ["error": "\(error)", "fresh": "\(fresh)"])
                // What an earlier image left behind may be to blame, so only a new process's failure is the image's.
                if fresh || Task.isCancelled || !isEnd(error) { throw failure(of: error) }
            }
        }
    }

    /// True when the process was new.
    private func prepareChild(for subject: ReaderChild.Subject) throws(ReadingFailure) -> Bool {
        var readable: [String] = []
        if case .template(let path) = subject {
            // A template names images next to it.
            readable = [path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."]
        }
        if let child, readable.isEmpty || child.readable == readable {
            publish(child.process)
            return child.pagesRead == 0
        }
        child = nil
        do {
            child = try ReaderChild(
                configuration, readable: readable, started: publish, until: .now + Self.startingTime)
            return true
        } catch {
            let reason = Task.isCancelled ? "cancelled" : "\(error)"
            logger.error("a reader process cannot be started", metadata: ["error": "\(reason)"])
            throw ReadingFailure(
                .readerUnavailable,
                "The reader \(configuration.readerPath) cannot be started (\(reason)). Check the installation, or set "
                    + "ZHIYUE_READER.")
        }
    }

    private nonisolated func publish(_ process: ConfinedProcess) {
        working.withLock { $0 = process }
        // A cancellation just before found nothing to kill.
        if Task.isCancelled { process.kill() }
    }

    private func recycleIfWorn() {
        guard let child else { return }
        let resident = child.process.residentBytes
        if child.pagesRead >= configuration.pagesPerChild || resident > configuration.residentLimitBytes {
            logger.debug(
                "a reader process is replaced",
                metadata: ["pages": "\(child.pagesRead)", "resident_bytes": "\(resident)"])
            self.child = nil
        }
    }

    private func isEnd(_ error: any Error) -> Bool {
        if case .ended(let exit, _) = error as? ConfinedProcessError { exit != .signalled(SIGXCPU) } else { false }
    }

    private func failure(of error: any Error) -> ReadingFailure {
        switch error as? ConfinedProcessError {
        case .timedOut, .ended(.signalled(SIGXCPU), _):
            ReadingFailure(
                .timedOut, "Reading took longer than \(configuration.deadline) and was stopped. Scan the page again.")
        case .ended(let exit, _):
            ReadingFailure(
                .readerCrashed,
                "The reader ended unexpectedly on this image (\(exit)). The file may be damaged; scan the page again.")
        default:
            ReadingFailure(.readerCrashed, "The reader failed on this image: \(error). Scan the page again.")
        }
    }
}
