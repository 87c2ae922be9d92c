import Domain
import EventBus

/// Reads what happened before the ring of recent events begins.
struct HistoryReader: Sendable {
    /// Entries looked at in each partition for a page.
    static let pageEntries = 256

    let bus: EventBus
    let places: StreamPlaces

    enum Outcome: Sendable {
        case page(EventRange)
        /// Some of it has been removed.
        case gap
        /// Redis does not answer; to be tried again.
        case unavailable
    }

    func page(
        after start: [Int: StreamPosition], upTo end: [Int: StreamPosition], _ filter: SubscriptionFilter
    ) async -> Outcome {
        do {
            let range = try await bus.range(after: start, upTo: end, count: Self.pageEntries) { filter.wants($0) }
            // Afterwards: what is still there now was there when it was read.
            guard try await places.isComplete(behind: StreamCursor(start)) else { return .gap }
            return .page(range)
        } catch {
            return .unavailable
        }
    }
}
