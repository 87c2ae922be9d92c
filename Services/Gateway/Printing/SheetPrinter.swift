import AnswerSheet
import Domain
import Hummingbird
import Logging
import NIOPosix
import ScanReader

/// Prints answer sheets in a confined child, one a job.
struct SheetPrinter: Sendable {
    private let process: PrinterProcess
    /// Drawing takes tens of milliseconds of a core and some memory.
    private let limit = ConcurrencyLimit(2, maxWaiting: 64)

    /// - Parameter path: of `sheet-printer`; nil for where it is installed.
    init(path: String? = nil) {
        process = PrinterProcess(path: path)
    }

    /// - Throws: `Problem` when the printer cannot be started, fails or takes too long.
    func print(_ job: PrintJob, logger: Logger) async throws -> [UInt8] {
        let bytes = try JSON.encode(job)
        guard bytes.count <= PrintJob.maxBytes else {
            throw Problem(.contentTooLarge, "print-job-too-large", "These are too many sheets at once. Print fewer.")
        }
        do {
            return try await limit.run {
                try await NIOThreadPool.singleton.runIfActive { try process.run(bytes) }
            }
        } catch let failure as PrinterProcess.Failure {
            logger.error("printing failed", metadata: ["reason": "\(failure.reason)"])
            throw Problem(
                .serviceUnavailable, "printing-failed",
                "The answer sheet cannot be printed now. \(Self.advice(failure.code))", headers: [.retryAfter: "10"])
        }
    }

    private static func advice(_ code: PrinterProcess.Failure.Code) -> String {
        switch code {
        case .missing: "The program sheet-printer is not installed beside the gateway."
        case .fontMissing: "No Chinese font is installed on the server; install fonts-noto-cjk."
        case .failed: "Try again."
        }
    }
}
