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
    /// Rises when the meaning of the data changes; older data must still decode.
    static var schemaVersion: Int { get }
    /// What the event is about: a sheet, a batch, an exam.
    var subject: String { get }
}

extension EventPayload {
    package static var schemaVersion: Int { 1 }
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
