import Domain
import EventBus

/// What a marker is told of an event: that one of its questions waits, or has been decided. Nothing of other questions of
/// the sheet, nor of the sheet as a whole.
enum MarkerView {
    static let eventTypes: Set<EventType> = [ReviewRequested.type, GradingReviewed.type]

    /// The questions an event is about; nil for one that markers do not get.
    static func questions(of event: EventEnvelope) -> [Int]? {
        switch event.type {
        case ReviewRequested.type: try? event.decode(ReviewRequested.self).questions
        case GradingReviewed.type: (try? event.decode(GradingReviewed.self).question).map { [$0] }
        default: nil
        }
    }

    /// CloudEvents JSON of an event that is about one of `questions`.
    static func json(_ stored: StoredEvent, questions: Set<Int>) throws -> [UInt8] {
        var stored = stored
        switch stored.event.type {
        case ReviewRequested.type:
            var request = try stored.event.decode(ReviewRequested.self)
            request.questions.removeAll { !questions.contains($0) }
            request.flags = []
            request.reviewVersion = nil
            stored.event.data = try JSON.encode(request)
        case GradingReviewed.type:
            var review = try stored.event.decode(GradingReviewed.self)
            review.status = nil
            stored.event.data = try JSON.encode(review)
        default: break
        }
        return try EventCodec.cloudEventJSON(stored)
    }
}
