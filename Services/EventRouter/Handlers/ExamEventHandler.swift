internal import Domain
internal import EventBus
internal import ExamStore
internal import TaskQueue

/// Follows changes of exams: a new key has all sheets marked again, reviews of users who may not have them any more go back
/// to everybody, a deleted exam is cleared away.
///
/// Idempotent: the task's identifier follows from the exam and the key, and clearing what is cleared, or taking back what
/// was taken back, does nothing.
struct ExamEventHandler: EventHandler {
    let store: ExamStore
    let queue: TaskQueue
    let source: String

    let eventTypes: Set<EventType> = [ExamUpdated.type, ExamDeleted.type]

    func handle(_ stored: StoredEvent, context: HandlingContext) async throws {
        switch stored.event.type {
        case ExamUpdated.type:
            let event = try stored.event.decode(ExamUpdated.self)
            try await store.takeBackReviews(exam: event.examID) { exam, user, target in exam.mayDecide(target, user) }
            guard event.keyChanged else { return }
            let task = BatchTask(kind: .remark, examID: event.examID, keyVersion: event.keyVersion)
            _ = try await queue.submit(
                task, examID: event.examID, context: EventContext(causedBy: stored.event, source: source))
        case ExamDeleted.type:
            try await store.purge(try stored.event.decode(ExamDeleted.self).examID)
        default:
            return
        }
    }
}
