internal import BlobStore
internal import Domain
internal import EventBus
internal import ExamFigures
internal import ExamStore
internal import TaskQueue

/// Makes a file about an exam and keeps it as a blob.
///
/// Idempotent: the file is named by its content, and its record changes only with the content.
struct ReportTaskHandler: TaskHandler {
    let store: ExamStore
    let blobs: BlobStore
    let bus: EventBus
    let source: String
    var printer = ReportPrinter()

    func run(_ task: ReportTask, context: TaskContext) async throws -> TaskResult {
        try TaskResult(try await makeReport(task, context: context))
    }

    private func makeReport(_ task: ReportTask, context: TaskContext) async throws -> ReportRecord {
        guard let exam = try await store.exam(task.examID) else {
            throw TaskFailure(retryable: false, message: "there is no exam \(task.examID)")
        }
        let bytes = try await content(task.kind, of: exam)
        let report = ReportRecord(blob: try await blobs.store(bytes), bytes: bytes.count)
        // Figures are asked for, not waited for: nobody needs to hear that they are there.
        if task.kind == .quality { return report }
        try await store.record(
            report, kind: task.kind, id: task.taskID.rawValue, exam: exam.id,
            context: context.eventContext(source: source))
        return report
    }

    private func content(_ kind: ReportTask.Kind, of exam: Exam) async throws -> [UInt8] {
        let scan = SheetScan(store: store, exam: exam.id)
        switch kind {
        case .resultsCSV:
            var table = ResultsTable(exam: exam)
            try await scan.each { table.add($0) }
            return Array(table.csv().utf8)
        case .reportPDF:
            var tally = ReportTally(exam: exam)
            try await scan.each { tally.add($0) }
            return try await printer.print(tally.report)
        case .quality:
            var tally = QualityTally(exam: exam)
            try await scan.each { tally.add($0) }
            return try JSON.encode(tally.quality)
        }
    }

    func failedFinally(_ task: ReportTask, error: TaskFailure, context: TaskContext) async throws {
        let event = ReportFailed(
            reportID: task.taskID.rawValue, kind: task.kind.rawValue, message: "The report could not be made: \(error)")
        _ = try await bus.publish(
            try EventEnvelope(event, examID: task.examID, context: context.eventContext(source: source)),
            deduplicationKey: "report.failed:\(context.taskID):\(context.attempt)")
    }
}
