import Domain
import EventBus
import NIOCore

/// An event as clients get it, made once for all of them.
final class RingEntry: Sendable {
    let partition: Int
    let position: StreamPosition
    let type: EventType
    let exam: ExamID?
    /// The only user who may have it; nil when it is nobody's own.
    let recipient: UserID?
    /// Events with the same key tell how far one thing is: the latest says it all.
    let progressKey: String?
    /// Of an event that markers get: the questions it is about, and the event, of which each sees its own part.
    let forMarkers: (questions: [Int], stored: StoredEvent)?
    /// CloudEvents JSON.
    let json: ByteBuffer
    /// The cursor behind the event of who follows its partition alone.
    let partitionCursor: String
    /// The cursor behind the event of who follows all partitions.
    let fullCursor: String

    /// - Parameter place: behind the event, in all partitions.
    /// - Throws: when the event cannot be written as JSON.
    init(_ stored: StoredEvent, place: StreamCursor) throws {
        let event = stored.event
        partition = stored.partition
        position = stored.position
        type = event.type
        exam = event.examID
        recipient = Self.recipient(event)
        progressKey = Self.progressKey(event)
        forMarkers = MarkerView.questions(of: event).map { ($0, stored) }
        json = ByteBuffer(bytes: try EventCodec.cloudEventJSON(stored))
        partitionCursor = StreamCursor([stored.partition: stored.position]).text
        fullCursor = place.text
    }

    /// A message in somebody's inbox is nobody else's business.
    static func recipient(_ event: EventEnvelope) -> UserID? {
        event.type == NotificationCreated.type ? UserID(event.subject) : nil
    }

    /// Progress is reported of batches and of tasks, whose identifiers are the subjects.
    static func progressKey(_ event: EventEnvelope) -> String? {
        event.type.rawValue.hasSuffix(".progress") ? "\(event.type):\(event.subject)" : nil
    }
}
