import ChaosWorkload
import Domain
import EventBus
import Redis

/// Publishes events of its own exams, one call after the other, and remembers the outcome of each.
struct Publisher {
    let bus: EventBus
    let exams: [ExamID]
    var random: SplitMix64
    /// The longest pause between two calls, in milliseconds.
    var pause = 4
    /// Set when everything is healthy again: events that are repeated until they succeed do so now.
    let isStopping: Flag

    /// Until told to stop.
    func run() async -> [Publication] {
        var random = random
        var publications: [Publication] = []
        var next: [ExamID: Int] = [:]
        while !isStopping.value {
            guard let exam = exams.randomElement(using: &random) else { break }
            let style = Int.random(in: 0..<10, using: &random)
            let events = (0..<(style == 0 ? Int.random(in: 2...12, using: &random) : 1)).map { _ in
                let number = next[exam, default: 0]
                next[exam] = number + 1
                return event(number, &random)
            }
            let outcome: Publication.Outcome =
                if style < 4, events.count == 1 {
                    await publishUntilItSucceeds(events[0], exam)
                } else {
                    await publish(events, exam)
                }
            publications += events.map {
                Publication(
                    exam: exam, number: $0.number, isPoison: $0.failures == nil, outcome: outcome, finished: .now)
            }
            try? await Task.sleep(for: .milliseconds(Int.random(in: 0...pause, using: &random)))
        }
        return publications
    }

    private func event(_ number: Int, _ random: inout SplitMix64) -> CountedEvent {
        let chance = Int.random(in: 0..<500, using: &random)
        let failures: Int? = chance == 0 ? nil : chance < 10 ? Int.random(in: 1...3, using: &random) : 0
        // Small, large enough to be compressed, and large enough to be kept elsewhere.
        let size = chance < 480 ? 60 : chance < 497 ? 3000 : 40_000
        return CountedEvent(number: number, failures: failures, filling: filling(size, &random))
    }

    private func filling(_ size: Int, _ random: inout SplitMix64) -> String {
        String(decoding: (0..<size).map { _ in UInt8.random(in: 97...122, using: &random) }, as: UTF8.self)
    }

    private func publish(_ events: [CountedEvent], _ exam: ExamID) async -> Publication.Outcome {
        do {
            let envelopes = try events.map { try $0.envelope(exam: exam) }
            if envelopes.count == 1 {
                try await bus.publish(envelopes[0])
            } else {
                try await bus.publish(envelopes)
            }
            return .ok
        } catch let error as RedisError {
            switch error.code {
            case .notSent: return .failed
            // Of a batch, some may have been taken before the refusal.
            case .refused: return events.count == 1 ? .failed : .unknown
            default: return .unknown
            }
        } catch {
            return .unknown
        }
    }

    /// With a deduplication key a call may be repeated whatever became of it.
    private func publishUntilItSucceeds(_ event: CountedEvent, _ exam: ExamID) async -> Publication.Outcome {
        guard let envelope = try? event.envelope(exam: exam) else { return .failed }
        for _ in 0..<1000 {
            do {
                try await bus.publish(envelope, deduplicationKey: envelope.id)
                return .ok
            } catch {
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
        return .unknown
    }
}
