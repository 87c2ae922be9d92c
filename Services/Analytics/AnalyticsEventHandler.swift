internal import Domain
internal import EventBus
internal import ExamStore

/// Adds every marked sheet to the figures of its exam.
///
/// Effectively once: the position of the event and the figures change in one script.
struct AnalyticsEventHandler: EventHandler {
    let store: ExamStore
    let source: String

    let eventTypes: Set<EventType> = [GradingCompleted.type]

    func handle(_ stored: StoredEvent, context: HandlingContext) async throws {
        let event = try stored.event.decode(GradingCompleted.self)
        try await store.contribute(
            event, guardedBy: context.effectGuard, context: EventContext(causedBy: stored.event, source: source))
    }
}
