package import Domain

/// An event that carries its number within its exam, and what is to happen to it.
package struct CountedEvent: Codable, Sendable {
    /// Events of an exam are of several types in turn: their order holds across types.
    package static let types: [EventType] = ["chaos.first", "chaos.second", "chaos.third"]

    package var number: Int
    /// Tries that fail before one succeeds; nil when none ever does.
    package var failures: Int?
    /// Makes the data large enough to be stored in other ways than small ones.
    package var filling: String

    package init(number: Int, failures: Int?, filling: String = "") {
        self.number = number
        self.failures = failures
        self.filling = filling
    }

    package func envelope(exam: ExamID, time: Timestamp = .now) throws -> EventEnvelope {
        EventEnvelope(
            id: UUIDv7.make(at: time).string, source: "/zhiyue/chaos",
            type: Self.types[number % Self.types.count], subject: "event-\(number)", time: time, schemaVersion: 1,
            correlationID: "chaos", examID: exam, data: try JSON.encode(self))
    }
}
