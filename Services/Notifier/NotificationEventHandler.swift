internal import Domain
internal import EventBus
internal import ExamStore

/// Puts a message into the inbox of an exam's owner when a sheet fails or waits for people, and when work on the whole
/// exam or a report ends.
///
/// Effectively once: the position of the event and the inbox change in one script, and the message is named by the event.
struct NotificationEventHandler: EventHandler {
    let store: ExamStore
    let source: String

    let eventTypes: Set<EventType> = [
        OCRFailed.type, GradingFailed.type, ReviewRequested.type, BatchCompleted.type, BatchFailed.type,
        ReportReady.type, ReportFailed.type,
    ]

    func handle(_ stored: StoredEvent, context: HandlingContext) async throws {
        guard let examID = stored.event.examID, let message = try message(about: stored.event),
            let exam = try await store.exam(examID)
        else { return }
        try await store.deliver(
            message, to: exam.owner, about: examID, guardedBy: context.effectGuard,
            context: EventContext(causedBy: stored.event, source: source))
    }

    private func message(about event: EventEnvelope) throws -> InboxMessage? {
        func make(_ kind: InboxMessage.Kind, _ detail: String) -> InboxMessage {
            InboxMessage(
                id: event.id, kind: kind, examID: event.examID, subject: event.subject, detail: detail,
                time: event.time)
        }
        switch event.type {
        case OCRFailed.type:
            let failure = try event.decode(OCRFailed.self)
            return make(.sheetFailed, "\(failure.code): \(failure.message)")
        case GradingFailed.type:
            return make(.sheetFailed, try event.decode(GradingFailed.self).message)
        case ReviewRequested.type:
            let request = try event.decode(ReviewRequested.self)
            let questions = request.questions.map { String($0) }.joined(separator: ", ")
            let flags = request.flags.map(\.rawValue).joined(separator: ", ")
            return make(.reviewRequested, "questions: \(questions); sheet: \(flags)")
        case BatchCompleted.type:
            let batch = try event.decode(BatchCompleted.self)
            return make(.batchCompleted, "\(batch.kind): \(batch.total) sheets")
        case BatchFailed.type:
            return make(.batchFailed, try event.decode(BatchFailed.self).message)
        case ReportReady.type:
            return make(.reportReady, try event.decode(ReportReady.self).kind)
        case ReportFailed.type:
            return make(.reportFailed, try event.decode(ReportFailed.self).message)
        default:
            return nil
        }
    }
}
