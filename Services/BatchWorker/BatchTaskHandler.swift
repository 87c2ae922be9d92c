internal import Domain
internal import EventBus
internal import ExamStore
internal import TaskQueue

/// Fans work on a whole exam out into a task a sheet, its children. The last sheet's marks complete the batch, and the task.
///
/// Idempotent: the list of sheets is drawn up once, and each task's identifier follows from sheet, reading and key.
struct BatchTaskHandler: TaskHandler {
    let store: ExamStore
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
        // Below fresh uploads: people wait for those.
        let drafts = try rest.map { sheet in
            try TaskDraft(
                GradingTask(sheetID: sheet.id, readingVersion: sheet.readingVersion, keyVersion: task.keyVersion),
                priority: .normal, examID: task.examID, context: events)
        }
        for start in stride(from: 0, to: drafts.count, by: 1000) {
            try await context.submitChildren(Array(drafts[start..<min(start + 1000, drafts.count)]))
            await context.progress(
                Double(start) / Double(drafts.count),
                "\(min(start + 1000, drafts.count)) of \(drafts.count) sheets queued")
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
