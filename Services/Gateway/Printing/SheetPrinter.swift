import AnswerSheet
import Domain
import Hummingbird
import Logging
import NIOPosix
import ScanReader

/// Prints answer sheets in a confined child, one a job.
struct SheetPrinter: Sendable {
    private static let environment = [
        "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "HOME=/nonexistent", "MALLOC_ARENA_MAX=1", "SWIFT_BACKTRACE=enable=no",
    ]
    private static let timeLimit = Duration.seconds(60)
    /// Longest PDF in bytes.
    private static let maxBytes = 256 << 20

    /// Absolute path of the program `sheet-printer`; `ZHIYUE_PRINTER` names another than the one beside the gateway.
    var path = SiblingProgram.path(of: "sheet-printer", variable: "ZHIYUE_PRINTER")
    /// Drawing takes tens of milliseconds of a core and some memory.
    private let limit = ConcurrencyLimit(2, maxWaiting: 64)

    init(path: String? = nil) {
        if let path { self.path = path }
    }

    /// - Throws: `Problem` when the printer cannot be started, fails or takes too long.
    func print(_ job: PrintJob, logger: Logger) async throws -> [UInt8] {
        let bytes = try JSON.encode(job)
        guard bytes.count <= PrintJob.maxBytes else {
            throw Problem(.contentTooLarge, "print-job-too-large", "These are too many sheets at once. Print fewer.")
        }
        do {
            return try await limit.run {
                try await NIOThreadPool.singleton.runIfActive { try run(bytes) }
            }
        } catch let failure as PrintFailure {
            logger.error("printing failed", metadata: ["reason": "\(failure.reason)"])
            throw Problem(
                .serviceUnavailable, "printing-failed",
                "The answer sheet cannot be printed now. \(failure.advice)", headers: [.retryAfter: "10"])
        }
    }

    private struct PrintFailure: Error {
        var reason: String
        var advice: String
    }

    private func run(_ job: [UInt8]) throws -> [UInt8] {
        do {
            let process = try ConfinedProcess(
                ConfinedCommand(
                    path: path, environment: Self.environment,
                    limits: .init(addressSpace: 2 << 30, data: 768 << 20, processorSeconds: 60), input: .bytes(job)))
            let (pdf, exit, errors) = try process.receiveAll(limit: Self.maxBytes, until: .now + Self.timeLimit)
            guard exit == .exited(0), !pdf.isEmpty else {
                throw PrintFailure(
                    reason: "\(exit): \(errors)",
                    advice: errors.contains("font_missing")
                        ? "No Chinese font is installed on the server; install fonts-noto-cjk." : "Try again.")
            }
            return pdf
        } catch let error as ConfinedProcessError {
            if case .cannotStart = error {
                throw PrintFailure(
                    reason: "\(path): \(error)",
                    advice: "The program sheet-printer is not installed beside the gateway.")
            }
            throw PrintFailure(reason: "\(error)", advice: "Try again with fewer sheets.")
        }
    }
}
