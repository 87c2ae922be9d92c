internal import Domain
internal import EventBus
internal import ExamStore
internal import Grading
internal import TaskQueue

/// Marks one sheet by the key of its exam.
///
/// Idempotent: marks of the same reading and key are recorded once, in the script that reports them.
struct GradingTaskHandler: TaskHandler {
    let store: ExamStore
    let bus: EventBus
    let source: String
    let replica: String

    func run(_ task: GradingTask, context: TaskContext) async throws -> TaskResult {
        try TaskResult(try await mark(task, context: context))
    }

    private func mark(_ task: GradingTask, context: TaskContext) async throws -> GradingOutcome {
        guard let examID = task.sheetID.examID else {
            throw TaskFailure(retryable: false, message: "\(task.sheetID) is no sheet")
        }
        let events = context.eventContext(source: source)
        // The sheet may be read further or the key be changed while this runs; the marks must fit what stands.
        for _ in 0..<10 {
            guard let exam = try await store.exam(examID) else { return GradingOutcome(status: "exam_deleted") }
            guard let sheet = try await store.sheet(task.sheetID) else { return GradingOutcome(status: "no_sheet") }
            if sheet.readingVersion == 0 { return GradingOutcome(status: "not_read") }
            if sheet.joinedTo != nil { return GradingOutcome(status: "joined") }
            if sheet.keyVersion == exam.keyVersion && sheet.markedReadingVersion == sheet.readingVersion {
                return GradingOutcome(status: "marked_before")
            }
            let started = GradingStarted(
                sheetID: sheet.id, readingVersion: sheet.readingVersion, keyVersion: exam.keyVersion, worker: replica)
            _ = try await bus.publish(
                try EventEnvelope(started, examID: examID, context: events),
                deduplicationKey: "grading.started:\(context.taskID):\(context.attempt):\(sheet.readingVersion)")
            let marks = Grader.marks(for: exam, fields: sheet.answers)
            let recorded = try await store.record(
                marks, of: sheet.id, readingVersion: sheet.readingVersion, keyVersion: exam.keyVersion, context: events)
            if recorded { return GradingOutcome(status: "marked") }
        }
        throw TaskFailure(retryable: true, message: "the sheet or its key changes too fast")
    }

    func failedFinally(_ task: GradingTask, error: TaskFailure, context: TaskContext) async throws {
        guard let examID = task.sheetID.examID else { return }
        let event = GradingFailed(sheetID: task.sheetID, message: "The sheet could not be marked: \(error)")
        _ = try await bus.publish(
            try EventEnvelope(event, examID: examID, context: context.eventContext(source: source)),
            deduplicationKey: "grading.failed:\(context.taskID):\(context.attempt)")
    }
}

/// The result kept with the task.
struct GradingOutcome: Codable, Sendable {
    let status: String
}
