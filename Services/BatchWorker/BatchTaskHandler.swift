internal import Domain
internal import EventBus
internal import ExamStore
internal import TaskQueue

/// Fans work on a whole exam out into a task a sheet. The last sheet's marks complete the batch.
///
/// Idempotent: the list of sheets is drawn up once, and each task's identifier follows from sheet, reading and key.
struct BatchTaskHandler: TaskHandler {
    let store: ExamStore
    let queue: TaskQueue
    let bus: EventBus
    let source: String

    func run(_ task: BatchTask, context: TaskContext) async throws -> TaskResult {
        try TaskResult(try await queueSheets(task, context: context))
    }

    private func queueSheets(_ task: BatchTask, context: TaskContext) async throws -> BatchOutcome {
        let events = context.eventContext(source: source)
        let rest: [SheetSummary]
        do {
            rest = try await store.beginRemarking(
                exam: task.examID, keyVersion: task.keyVersion, batchID: task.taskID.rawValue, context: events)
        } catch let error as ExamStoreError where error.code == .notFound {
            return BatchOutcome(sheets: 0)
        }
        for (index, sheet) in rest.enumerated() {
            let grading = GradingTask(
                sheetID: sheet.id, readingVersion: sheet.readingVersion, keyVersion: task.keyVersion)
            // Below fresh uploads: people wait for those.
            _ = try await queue.submit(grading, priority: .normal, examID: task.examID, context: events)
            if index.isMultiple(of: 100) {
                await context.progress(Double(index) / Double(rest.count), "\(index) of \(rest.count) sheets queued")
            }
        }
        return BatchOutcome(sheets: rest.count)
    }

    func failedFinally(_ task: BatchTask, error: TaskFailure, context: TaskContext) async throws {
        let event = BatchFailed(
            batchID: task.taskID.rawValue, kind: task.kind.rawValue, message: "The sheets could not be queued: \(error)"
        )
        _ = try await bus.publish(
            try EventEnvelope(event, examID: task.examID, context: context.eventContext(source: source)),
            deduplicationKey: "batch.failed:\(context.taskID):\(context.attempt)")
    }
}

/// The result kept with the task.
struct BatchOutcome: Codable, Sendable {
    /// Sheets that were queued.
    let sheets: Int
}
