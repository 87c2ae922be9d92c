internal import BlobStore
internal import Domain
internal import EventBus
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

    func run(_ task: ReportTask, context: TaskContext) async throws -> TaskResult {
        try TaskResult(try await makeReport(task, context: context))
    }

    private func makeReport(_ task: ReportTask, context: TaskContext) async throws -> ReportRecord {
        guard let exam = try await store.exam(task.examID) else {
            throw TaskFailure(retryable: false, message: "there is no exam \(task.examID)")
        }
        var table = ResultsTable(exam: exam)
        var cursor: String?
        repeat {
            let page = try await store.sheets(exam: exam.id, status: nil, cursor: cursor, limit: 200)
            for summary in page.items {
                if let sheet = try await store.sheet(summary.id) { table.add(sheet) }
            }
            cursor = page.nextCursor
            try Task.checkCancellation()
        } while cursor != nil
        let bytes = Array(table.csv().utf8)
        let report = ReportRecord(blob: try await blobs.store(bytes), bytes: bytes.count)
        try await store.record(
            report, kind: task.kind, id: task.taskID.rawValue, exam: exam.id,
            context: context.eventContext(source: source))
        return report
    }

    func failedFinally(_ task: ReportTask, error: TaskFailure, context: TaskContext) async throws {
        let event = ReportFailed(
            reportID: task.taskID.rawValue, kind: task.kind.rawValue, message: "The report could not be made: \(error)")
        _ = try await bus.publish(
            try EventEnvelope(event, examID: task.examID, context: context.eventContext(source: source)),
            deduplicationKey: "report.failed:\(context.taskID):\(context.attempt)")
    }
}
