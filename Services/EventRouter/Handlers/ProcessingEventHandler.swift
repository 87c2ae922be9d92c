internal import Domain
internal import EventBus
internal import ExamStore
internal import TaskQueue

/// Follows a page image: uploaded, it is to be read; read, its sheet is to be marked.
///
/// Idempotent: each task's identifier follows from the sheet, its reading and the key.
struct ProcessingEventHandler: EventHandler {
    let store: ExamStore
    let queue: TaskQueue
    let source: String

    let eventTypes: Set<EventType> = [SheetUploaded.type, OCRCompleted.type]

    func handle(_ stored: StoredEvent, context: HandlingContext) async throws {
        let cause = EventContext(causedBy: stored.event, source: source)
        switch stored.event.type {
        case SheetUploaded.type:
            // The gateway submits this task too; here it is made good if the gateway was killed before it could.
            let event = try stored.event.decode(SheetUploaded.self)
            let task = OCRTask(sheetID: event.sheetID, blob: event.blob, filePage: event.filePage)
            _ = try await queue.submit(task, examID: event.sheetID.examID, context: cause)
        case OCRCompleted.type:
            let event = try stored.event.decode(OCRCompleted.self)
            guard let examID = event.sheetID.examID, let exam = try await store.exam(examID) else { return }
            let task = GradingTask(
                sheetID: event.sheetID, readingVersion: event.readingVersion, keyVersion: exam.keyVersion)
            _ = try await queue.submit(task, examID: examID, context: cause)
        default:
            return
        }
    }
}
