internal import AnswerSheet
internal import Domain
internal import ExamFigures
internal import NIOPosix
internal import ScanReader
internal import TaskQueue

/// Prints reports in a confined child, so that this service carries no drawing libraries.
struct ReportPrinter {
    private let process: PrinterProcess

    /// - Parameter path: of `sheet-printer`; nil for where it is installed.
    init(path: String? = nil) {
        process = PrinterProcess(path: path)
    }

    /// - Throws: `TaskFailure`, which another attempt may cure unless something is not installed.
    func print(_ report: ExamReport) async throws -> [UInt8] {
        let job = try JSON.encode(PrintJob(report: report))
        guard job.count <= PrintJob.maxBytes else {
            throw TaskFailure(retryable: false, message: "there is too much to print")
        }
        do {
            return try await NIOThreadPool.singleton.runIfActive { try process.run(job) }
        } catch let failure as PrinterProcess.Failure {
            switch failure.code {
            case .missing:
                throw TaskFailure(
                    retryable: false, message: "the program sheet-printer is not installed beside batch-worker")
            case .fontMissing:
                throw TaskFailure(retryable: false, message: "no Chinese font is installed; install fonts-noto-cjk")
            case .failed:
                throw TaskFailure(retryable: true, message: "printing failed")
            }
        }
    }
}
