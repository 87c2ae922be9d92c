internal import Domain
internal import EventBus
internal import ExamStore
internal import TaskQueue

/// Follows a marked sheet: marks made by a key that has been changed meanwhile are made again.
///
/// The list of a re-marking is drawn up once; a sheet that was being marked by the old key at that moment is caught
/// here. Idempotent: the task's identifier follows from the sheet, its reading and the key.
struct GradingEventHandler: EventHandler {
    let store: ExamStore
    let queue: TaskQueue
    let source: String

    let eventTypes: Set<EventType> = [GradingCompleted.type]

    func handle(_ stored: StoredEvent, context: HandlingContext) async throws {
        let event = try stored.event.decode(GradingCompleted.self)
        guard let examID = event.sheetID.examID, let exam = try await store.exam(examID),
            exam.keyVersion > event.keyVersion
        else { return }
        let task = GradingTask(
            sheetID: event.sheetID, readingVersion: event.readingVersion, keyVersion: exam.keyVersion)
        _ = try await queue.submit(
            task, examID: examID, context: EventContext(causedBy: stored.event, source: source))
    }
}
