import Domain
import EventBus
import Foundation

/// What a client follows with one subscription, and which events that should bring: said again here, apart from the
/// gateway's own tables.
struct Following: Sendable {
    static let types: [String: Set<String>] = [
        "progress": [
            "sheet.uploaded", "ocr.started", "ocr.completed", "ocr.failed", "grading.started", "grading.completed",
            "grading.failed", "batch.started", "batch.progress", "batch.completed", "batch.failed",
        ],
        "grading": [
            "grading.started", "grading.completed", "grading.failed", "grading.reviewed", "review.requested",
        ],
        "quality": ["quality.updated", "review.requested", "grading.reviewed"],
        "system": ["system.health_check", "batch.failed", "report.failed", "ocr.failed", "grading.failed"],
        "general": [
            "exam.created", "exam.updated", "exam.deleted", "report.ready", "report.failed", "batch.completed",
            "batch.failed", "notification.created",
        ],
    ]

    let id: String
    let user: String
    let connectionType: String
    /// nil for all.
    let exams: [String]?
    /// nil for all of the connection type.
    let eventTypes: Set<String>?

    func wants(_ event: PublishedEvent) -> Bool {
        if let exams, !exams.contains(event.exam ?? "") { return false }
        guard (eventTypes ?? Self.types[connectionType] ?? []).contains(event.type) else { return false }
        return event.type != "notification.created" || event.subject == user
    }

    /// The message that asks for it.
    func message(cursor: String?) -> String {
        var message: [String: Any] = ["type": "subscribe", "id": id, "connection_type": connectionType]
        message["exam_ids"] = exams
        message["event_types"] = eventTypes.map { $0.sorted() }
        message["cursor"] = cursor
        return (try? JSONSerialization.data(withJSONObject: message)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}

/// An event that is in a stream.
struct PublishedEvent: Sendable {
    /// Of the run; see `EventLoad`.
    let number: Int
    let partition: Int
    let type: String
    let exam: String?
    let subject: String

    /// Events with the same key tell how far one thing is, the latest best.
    var progressKey: String? { type.hasSuffix(".progress") ? "\(type):\(subject)" : nil }
}

/// All events of a run as Redis has them: the truth the clients' counts are held against.
struct EventLedger: Sendable {
    /// Those of a partition in their order; the partitions one after the other.
    let events: [PublishedEvent]
    /// Of each exam, nil for none, the places in `events`.
    private let places: [String?: [Int]]
    private let placeOf: [Int: Int]

    init(_ events: [PublishedEvent]) {
        self.events = events
        var places: [String?: [Int]] = [:]
        var placeOf: [Int: Int] = [:]
        for (place, event) in events.enumerated() {
            places[event.exam, default: []].append(place)
            placeOf[event.number] = place
        }
        self.places = places
        self.placeOf = placeOf
    }

    /// The places of what a subscription should bring.
    func expected(_ following: Following) -> [Int] {
        guard let exams = following.exams else { return events.indices.filter { following.wants(events[$0]) } }
        return exams.flatMap { exam in places[exam, default: []].filter { following.wants(events[$0]) } }.sorted()
    }

    func place(of number: Int) -> Int? { placeOf[number] }

    /// Reads the streams of a run.
    static func read(_ bus: EventBus) async throws -> EventLedger {
        var events: [PublishedEvent] = []
        for partition in 0..<bus.configuration.partitions {
            var after = StreamPosition.zero
            while true {
                let range = try await bus.range(after: [partition: after], upTo: [partition: .max], count: 1000) { _ in
                    true
                }
                events += range.events.compactMap { stored in
                    guard let number = EventLoad.number(of: stored.event) else { return nil }
                    return PublishedEvent(
                        number: number, partition: partition, type: stored.event.type.rawValue,
                        exam: stored.event.examID?.rawValue, subject: stored.event.subject)
                }
                guard range.scanned == 1000, let reached = range.reached[partition] else { break }
                after = reached
            }
        }
        return EventLedger(events)
    }
}
