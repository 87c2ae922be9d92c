internal import Domain
internal import EventBus
internal import ExamStore

/// Adds every marked sheet to the figures of its exam, and counts those that wait for people: a sheet may come to wait
/// without being marked again, when a second one with the same page turns up.
///
/// Effectively once: the position of the event and the figures change in one script.
struct AnalyticsEventHandler: EventHandler {
    let store: ExamStore
    let source: String

    let eventTypes: Set<EventType> = [GradingCompleted.type, ReviewRequested.type]

    func handle(_ stored: StoredEvent, context: HandlingContext) async throws {
        let cause = EventContext(causedBy: stored.event, source: source)
        switch stored.event.type {
        case GradingCompleted.type:
            let event = try stored.event.decode(GradingCompleted.self)
            try await store.contribute(event, guardedBy: context.effectGuard, context: cause)
        case ReviewRequested.type:
            let event = try stored.event.decode(ReviewRequested.self)
            try await store.contribute(event, guardedBy: context.effectGuard, context: cause)
        default:
            return
        }
    }
}
