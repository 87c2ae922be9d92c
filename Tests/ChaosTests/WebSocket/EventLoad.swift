import ChaosWorkload
import Domain
import EventBus
import Synchronization

/// Publishes numbered events of many types at a steady rate.
final class EventLoad: Sendable {
    private static let types: [String] = [
        "sheet.uploaded", "ocr.started", "ocr.completed", "ocr.failed", "grading.started", "grading.completed",
        "grading.reviewed", "review.requested", "quality.updated", "batch.progress", "batch.progress",
        "batch.completed", "exam.updated", "report.ready", "notification.created", "system.health_check",
    ]

    private let bus: EventBus
    private let exams: [String]
    private let users: [String]
    private let seed: UInt64
    private let isStopping = Flag()
    private let counts = Mutex((published: 0, failed: 0))

    init(bus: EventBus, exams: [String], users: [String], seed: UInt64) {
        self.bus = bus
        self.exams = exams
        self.users = users
        self.seed = seed
    }

    var published: Int { counts.withLock { $0.published } }
    /// Calls that Redis has not answered, or refused.
    var failed: Int { counts.withLock { $0.failed } }

    func stop() { isStopping.raise() }

    /// Until `stop()`. A call that fails is counted, and its events may be in the streams or not.
    func run(perSecond rate: Int) async {
        var random = SplitMix64(seed: seed)
        let start = ContinuousClock.now
        var next = 0
        while !isStopping.value {
            let due = Int(Double(rate) * (start.duration(to: .now) / .seconds(1)))
            let events = (next..<max(next, min(due, next + 500))).map { event($0, &random) }
            next += events.count
            do {
                try await bus.publish(events)
                counts.withLock { $0.published += events.count }
            } catch {
                counts.withLock { $0.failed += 1 }
            }
            // The rate's own pause.
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    private func event(_ number: Int, _ random: inout SplitMix64) -> EventEnvelope {
        let type = Self.types[Int.random(in: 0..<Self.types.count, using: &random)]
        let exam = type == "system.health_check" ? nil : exams.randomElement(using: &random)
        let subject =
            switch type {
            case "notification.created": users.randomElement(using: &random) ?? ""
            case "batch.progress": "batch-\(exam ?? "")-\(Int.random(in: 0..<2, using: &random))"
            default: exam ?? "system"
            }
        // Small for the most part; some are compressed in Redis.
        let size = Int.random(in: 0..<50, using: &random) == 0 ? 3000 : Int.random(in: 0..<200, using: &random)
        return EventEnvelope(
            id: UUIDv7.make().string, source: "/zhiyue/chaos", type: EventType(type), subject: subject, time: .now,
            schemaVersion: 1, correlationID: "chaos", examID: exam.map { ExamID($0) },
            data: Array(
                #"{"chaos":\#(number),"at":\#(Timestamp.now.milliseconds),"text":"\#(String(repeating: "x", count: size))"}"#
                    .utf8))
    }

    /// What `event` gave it; nil for an event of somebody else.
    static func number(of event: EventEnvelope) -> Int? {
        let start = Array(#"{"chaos":"#.utf8)
        guard event.data.starts(with: start) else { return nil }
        return Int(
            String(decoding: event.data.dropFirst(start.count).prefix { $0 != UInt8(ascii: ",") }, as: UTF8.self))
    }
}
