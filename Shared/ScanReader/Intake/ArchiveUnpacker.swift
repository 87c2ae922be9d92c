internal import Domain
internal import Glibc

/// Has a confined child unpack an archive, scan by scan, each into a file of its own. All limits are held here as well:
/// what the child says is not to be trusted either.
actor ArchiveUnpacker {
    enum Item: Sendable {
        case scan(name: String, StagedScan)
        case refused(name: String, IntakeFailure)
    }

    private static let environment = [
        "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "HOME=/nonexistent", "MALLOC_ARENA_MAX=1", "SWIFT_BACKTRACE=enable=no",
    ]
    /// Seconds of a core; the two GiB an archive may have take about ten.
    private static let processorSeconds = 120

    private let executor = QueueExecutor("unpack")
    private let process: ConfinedProcess
    private let limits: UnpackLimits
    private let deadline: ContinuousClock.Instant
    private let makePath: @Sendable () -> String
    private var unpackedBytes = 0
    private var entries = 0

    nonisolated var processID: Int32 { process.processID }

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - path: of the archive.
    ///   - program: absolute path of `scan-unpacker`.
    ///   - makePath: a place for a file, where nothing is yet.
    init(
        _ path: String, program: String, limits: UnpackLimits, until deadline: ContinuousClock.Instant,
        makePath: @escaping @Sendable () -> String
    ) throws(IntakeFailure) {
        self.limits = limits
        self.deadline = deadline
        self.makePath = makePath
        do {
            process = try ConfinedProcess(
                ConfinedCommand(
                    path: program, arguments: [try JSON.string(limits)], environment: Self.environment,
                    limits: .init(
                        addressSpace: 2 << 30, data: 256 << 20, processorSeconds: Self.processorSeconds),
                    input: .file(path)))
        } catch {
            throw Self.failure(error)
        }
    }

    /// The next entry; nil at the end.
    func next() throws(IntakeFailure) -> Item? {
        do {
            switch try message() {
            case .refused(let name, let failure):
                try count(name)
                return .refused(name: name, failure)
            case .begun(let name):
                try count(name)
                let scan = try StagedScan(path: makePath())
                let failure = try receive(into: scan)
                scan.close()
                if let failure { return .refused(name: name, failure) }
                return .scan(name: name, scan)
            case .failed(let failure): throw failure
            case .done: return nil
            case .piece, .ended: throw Babble()
            }
        } catch let failure as IntakeFailure {
            throw failure
        } catch {
            throw Self.failure(error)
        }
    }

    /// The child says what none of ours says.
    private struct Babble: Error {}

    /// - Returns: why the entry is not to be used.
    private func receive(into scan: StagedScan) throws -> IntakeFailure? {
        var bytes = 0
        while true {
            switch try message() {
            case .piece(let count):
                bytes += max(count, 0)
                unpackedBytes += max(count, 0)
                guard (1...UnpackMessage.maxPieceBytes).contains(count), bytes <= limits.maxEntryBytes,
                    unpackedBytes <= limits.maxBytes
                else { throw Babble() }
                try scan.write(try process.receive(count: count, until: deadline))
            case .ended(let failure): return failure
            default: throw Babble()
            }
        }
    }

    private func message() throws -> UnpackMessage {
        let length = try Frame.length(process.receive(count: 4, until: deadline))
        return try JSON.decode(UnpackMessage.self, from: process.receive(count: length, until: deadline))
    }

    private func count(_ name: String) throws {
        entries += 1
        guard entries <= limits.maxEntries, name.utf8.count <= 4_096 else { throw Babble() }
    }

    private static func failure(_ error: any Error) -> IntakeFailure {
        switch error as? ConfinedProcessError {
        case .cannotStart, .system:
            IntakeFailure(.unavailable, "ZIPs cannot be unpacked now. Try again, or upload the scans one by one.")
        case .ended(.signalled(SIGKILL), _), .ended(.exited, _):
            // The machine is out of memory, somebody ended it, or it could not begin.
            IntakeFailure(.unavailable, "The unpacking of the ZIP was stopped. Try again.")
        case .timedOut, .ended(.signalled(SIGXCPU), _):
            IntakeFailure(.archiveTooLarge, "Unpacking the ZIP took too long. Split it and upload the parts.")
        default:
            IntakeFailure(.damaged, "The ZIP cannot be unpacked. Pack it again.")
        }
    }
}

extension IntakeFailure {
    package static let storageFull = IntakeFailure(
        .storageFull, "The server's disk is full. Tell its administrator, and upload the file again later.")
}
