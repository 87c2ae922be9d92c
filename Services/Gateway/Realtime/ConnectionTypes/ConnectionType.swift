import Domain

/// A kind of subscription: which events it brings and who may have it.
///
/// A new one is a file in this folder that declares it, and an entry in `ConnectionTypeCatalog`.
struct ConnectionType: Sendable {
    /// The `connection_type` of clients.
    let name: String
    /// What it is for, a sentence.
    let purpose: String
    let eventTypes: Set<EventType>
    /// Roles that may subscribe. Of which exams is said by `SubscriptionPolicy`.
    let roles: Set<Role>
    /// Roles that may have some of the events alone, and which.
    var parts: [Role: Set<EventType>] = [:]
}

/// Every kind of subscription there is. A kind's place in the list stands for it inside.
enum ConnectionTypeCatalog {
    static let all: [ConnectionType] = [.quality, .progress, .grading, .system, .general]

    static func index(of name: String) -> Int? {
        all.firstIndex { $0.name == name }
    }

    /// The kinds that bring events of a type.
    static let kinds: [EventType: [Int]] = {
        var kinds: [EventType: [Int]] = [:]
        for (index, type) in all.enumerated() {
            for event in type.eventTypes { kinds[event, default: []].append(index) }
        }
        return kinds
    }()
}
