/// The name of a kind of event, `exam.created`. Each event declares its own in its file in this folder; the full list
/// is `EventCatalog.all`.
package struct EventType: StringIdentifier {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }
}

/// The data of one kind of event. A new event is one file in this folder and one line in `EventCatalog`.
package protocol EventPayload: Codable, Sendable {
    static var type: EventType { get }
    /// 1 at first; rises when the meaning of the data changes. Streams, dead letters and webhooks hold data of every
    /// version there was.
    static var schemaVersion: Int { get }
    /// What the event is about: a sheet, a batch, an exam.
    var subject: String { get }
    /// Reads data of any version from 1 to `schemaVersion`.
    ///
    /// An event of a version above 1 keeps the older forms in its own file, as they were, and raises one to the next:
    ///
    ///     static let schemaVersion = 2
    ///
    ///     private struct Version1: Decodable { var score: Int }
    ///
    ///     static func decode(_ data: [UInt8], version: Int) throws -> Self {
    ///         guard version < 2 else { return try JSON.decode(Self.self, from: data) }
    ///         return Self(score: Double(try JSON.decode(Version1.self, from: data).score))
    ///     }
    ///
    /// A field that is new and may be absent needs no new version.
    static func decode(_ data: [UInt8], version: Int) throws -> Self
}

extension EventPayload {
    package static var schemaVersion: Int { 1 }

    package static func decode(_ data: [UInt8], version: Int) throws -> Self {
        try JSON.decode(Self.self, from: data)
    }
}

/// Every kind of event this program knows.
package enum EventCatalog {
    package static let all: [any EventPayload.Type] = [
        ExamCreated.self, ExamUpdated.self, ExamDeleted.self, SheetUploaded.self, OCRStarted.self, OCRCompleted.self,
        OCRFailed.self, GradingStarted.self, GradingCompleted.self, GradingFailed.self, GradingReviewed.self,
        ReviewRequested.self, BatchStarted.self, BatchProgress.self, BatchCompleted.self, BatchFailed.self,
        ReportReady.self, ReportFailed.self, QualityUpdated.self, NotificationCreated.self, SystemHealthCheck.self,
    ]
}
