internal import Domain
internal import EventBus
internal import Webhooks

/// The enabled webhooks by the types of events they ask for, in memory.
///
/// An event must reach every webhook that there was when the event happened. So for each event what is known has to be as
/// new as the event, by the clock of Redis; only if it is not, and then once for all events that wait, Redis is asked
/// whether anything has changed, and only if so the webhooks are read.
actor WebhookIndex {
    private let store: WebhookStore
    private var known: WebhookSnapshot?
    private var byType: [EventType: [Webhook]] = [:]
    private var refresh: Task<Void, any Error>?

    init(store: WebhookStore) {
        self.store = store
    }

    /// Those that ask for `stored`, whatever their owners may see.
    func webhooks(for stored: StoredEvent) async throws -> [Webhook] {
        while !covers(stored.position) {
            if let refresh {
                // Begun before this event perhaps, so it may not be enough.
                try await refresh.value
                continue
            }
            // Of its own, since all who wait for it share it. Begun after this event, so it is enough.
            let refresh = Task {
                defer { self.refresh = nil }
                try await read()
            }
            self.refresh = refresh
            try await refresh.value
            break
        }
        return byType[stored.event.type, default: []].filter { $0.wants(stored.event.type, of: stored.event.examID) }
    }

    private func covers(_ position: StreamPosition) -> Bool {
        known.map { Int64(clamping: position.milliseconds) < $0.time } ?? false
    }

    private func read() async throws {
        let snapshot = try await store.snapshot(after: known)
        if snapshot.version != known?.version || known == nil {
            byType = [:]
            for webhook in snapshot.webhooks {
                for type in webhook.eventTypes { byType[type, default: []].append(webhook) }
            }
        }
        known = snapshot
    }
}
