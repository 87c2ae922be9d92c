import Domain

/// Finds the subscriptions an event concerns without looking at the others: by exam, and by connection type or, for
/// those that named them, event type. Used on one event loop.
struct SubscriptionIndex {
    /// Where a subscription is found. `exam` is nil for those of all exams.
    enum Key: Hashable {
        case kind(Int, exam: ExamID?)
        case type(EventType, exam: ExamID?)
    }

    /// Subscriptions under one key.
    final class Audience {
        let key: Key
        fileprivate(set) var members: [Subscription] = []

        fileprivate init(_ key: Key) {
            self.key = key
        }
    }

    private var audiences: [Key: Audience] = [:]

    mutating func add(_ subscription: Subscription) {
        for key in Self.keys(of: subscription) {
            let audience = audiences[key] ?? Audience(key)
            audiences[key] = audience
            subscription.places.append((audience, audience.members.count))
            audience.members.append(subscription)
        }
    }

    mutating func remove(_ subscription: Subscription) {
        for (audience, index) in subscription.places {
            let last = audience.members.removeLast()
            if last !== subscription {
                audience.members[index] = last
                last.moved(in: audience, to: index)
            }
            if audience.members.isEmpty { audiences[audience.key] = nil }
        }
        subscription.places = []
    }

    /// Takes a subscription out from under the keys of an exam, and no others.
    mutating func remove(_ subscription: Subscription, from exam: ExamID) {
        for (audience, index) in subscription.places where Self.exam(of: audience.key) == exam {
            let last = audience.members.removeLast()
            if last !== subscription {
                audience.members[index] = last
                last.moved(in: audience, to: index)
            }
            if audience.members.isEmpty { audiences[audience.key] = nil }
        }
        subscription.places.removeAll { audience, _ in Self.exam(of: audience.key) == exam }
    }

    /// Calls `body` once with each subscription that an event of `type` about `exam` may concern.
    func each(type: EventType, exam: ExamID?, _ body: (Subscription) -> Void) {
        for kind in ConnectionTypeCatalog.kinds[type] ?? [] {
            if let exam { visit(.kind(kind, exam: exam), body) }
            visit(.kind(kind, exam: nil), body)
        }
        if let exam { visit(.type(type, exam: exam), body) }
        visit(.type(type, exam: nil), body)
    }

    /// Calls `body` with each subscription of a kind, to all its events, that something about `exam` concerns.
    func each(kind: Int, exam: ExamID?, _ body: (Subscription) -> Void) {
        if let exam { visit(.kind(kind, exam: exam), body) }
        visit(.kind(kind, exam: nil), body)
    }

    /// The subscriptions that name `exam`.
    func naming(_ exam: ExamID) -> [Subscription] {
        var found: [ObjectIdentifier: Subscription] = [:]
        for kind in ConnectionTypeCatalog.all.indices {
            visit(.kind(kind, exam: exam)) { found[ObjectIdentifier($0)] = $0 }
            for type in ConnectionTypeCatalog.all[kind].eventTypes {
                visit(.type(type, exam: exam)) { found[ObjectIdentifier($0)] = $0 }
            }
        }
        return Array(found.values)
    }

    private func visit(_ key: Key, _ body: (Subscription) -> Void) {
        guard let audience = audiences[key] else { return }
        for subscription in audience.members { body(subscription) }
    }

    private static func exam(of key: Key) -> ExamID? {
        switch key {
        case .kind(_, let exam), .type(_, let exam): exam
        }
    }

    private static func keys(of subscription: Subscription) -> [Key] {
        let exams: [ExamID?] = subscription.filter.exams.map { Array($0) } ?? [nil]
        return exams.flatMap { exam -> [Key] in
            guard let types = subscription.filter.eventTypes else { return [.kind(subscription.kind, exam: exam)] }
            return types.map { .type($0, exam: exam) }
        }
    }
}
