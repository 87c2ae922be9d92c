/// A kind of event of an embedding program. Its properties are the event's data, as JSON.
public protocol SystemEvent: Codable, Sendable {
    /// Its name, such as `paper.arrived`: the same in every program that publishes or handles it.
    static var eventType: String { get }
    /// Rises when the meaning of the data changes; older data must still decode.
    static var schemaVersion: Int { get }
    /// Events of one exam, of whatever types, are handled in the order they were published; those without an exam in
    /// the order of their type.
    var examID: String? { get }
    /// What the event is about, for people and filters.
    var subject: String { get }
}

extension SystemEvent {
    public static var schemaVersion: Int { 1 }
    public var examID: String? { nil }
    public var subject: String { examID ?? "" }
}

/// Where a published event is.
public struct PublishedEvent: Sendable, Hashable {
    /// The event's own identifier, a version 7 UUID.
    public let id: String
    public let type: String
    public let examID: String?
    /// Runs through everything the event leads to.
    public let correlationID: String
    /// `1732291200125-0`: events of an exam are ordered by it.
    public let position: String
}

/// An event as a handler gets it. It may get the same one again after a failure or a crash: what it does must be
/// idempotent.
public struct EventDelivery: Sendable {
    public let id: String
    public let type: String
    public let examID: String?
    public let subject: String
    public let correlationID: String
    public let position: String
    /// 1 at the first try.
    public let attempt: Int
    /// The event's data: JSON.
    public let data: [UInt8]
}
