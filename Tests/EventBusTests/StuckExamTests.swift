import Domain
import EventBus
import Redis
import Synchronization
import Testing

/// An exam that cannot go on, and an event that ends whoever handles it, hold up nobody else.
@Suite(.timeLimit(.minutes(3))) struct StuckExamTests {
    private static let total = 2000

    private static func small() -> EventBusConfiguration {
        BusFixture.quick { configuration in
            configuration.maxBufferedEvents = 200
            configuration.batchSize = 50
            configuration.maxRetries = 100_000
            configuration.retryDelays = [.milliseconds(20)]
        }
    }

    /// Far more events of one exam than a replica may hold, then some of others, in its partition and elsewhere.
    private func publish(_ fixture: BusFixture) async throws {
        for first in stride(from: 0, to: Self.total, by: 500) {
            try await fixture.bus.publish((first..<first + 500).map { event($0, exam: "stuck") })
        }
        try await fixture.bus.publish((0..<40).map { event($0, exam: ExamID("other-\($0)")) })
    }

    @Test(arguments: [true, false])
    func aStuckExamDoesNotStopTheOthersAndLosesNothing(isWaiting: Bool) async throws {
        try await BusFixture.run(Self.small()) { fixture in
            let gate = Gate()
            let done = Mutex<[Int]>([])
            let others = Mutex(Set<Int>())
            let recorder = Recorder { stored, _ in
                guard stored.event.examID == "stuck" else {
                    _ = others.withLock { $0.insert(stored.number) }
                    return
                }
                if isWaiting {
                    // In back-off.
                    if !gate.isPassed { throw Failure() }
                } else {
                    // In a slow handler.
                    try await gate.pass()
                }
                done.withLock { $0.append(stored.number) }
            }
            let replica = try fixture.start("r1", [recorder])
            try await publish(fixture)
            try await until { others.withLock { $0.count } == 40 }
            #expect(done.withLock { $0.isEmpty })
            gate.open()
            // What is published meanwhile comes behind what was left in the stream.
            try await fixture.bus.publish((Self.total..<Self.total + 50).map { event($0, exam: "stuck") })
            try await until { try await fixture.lag() == 0 }
            #expect(done.withLock { $0 } == Array(0..<Self.total + 50))
            #expect(replica.subscriber.statistics.handled == Self.total + 90)
            try await replica.leave()
        }
    }

    @Test func theNextOwnerOfAStuckExamHandlesAllOfIt() async throws {
        try await BusFixture.run(Self.small()) { fixture in
            let stuck = Recorder { stored, _ in
                if stored.event.examID == "stuck" { throw Failure() }
            }
            let first = try fixture.start("r1", [stuck])
            try await publish(fixture)
            try await until {
                Set(stuck.all.filter { $0.stored.event.examID != "stuck" }.map(\.stored.number)).count == 40
            }
            try await first.leave()
            let next = Recorder()
            let second = try fixture.start("r2", [next])
            try await until { try await fixture.lag() == 0 }
            #expect(next.numbers(of: "stuck") == Array(0..<Self.total))
            try await second.leave()
        }
    }

    @Test func anEventThatEndsItsReplicasBecomesADeadLetterAndTheOthersDoNot() async throws {
        try await BusFixture.run(BusFixture.quick { $0.maxConcurrentExams = 8 }) { fixture in
            let done = Mutex<[Int]>([])
            let begun = Mutex(0)
            let handler = Recorder { stored, _ in
                if stored.number == 5 {
                    begun.withLock { $0 += 1 }
                    try await Task.sleep(for: .seconds(1000))
                }
                // Slow enough to be in hand when the replica ends.
                if stored.number % 10 == 7 { try await Task.sleep(for: .milliseconds(150)) }
                done.withLock { $0.append(stored.number) }
            }
            try await fixture.bus.publish((0..<100).map { event($0, exam: ExamID("exam-\($0 % 10)")) })
            var deaths = 0
            var last: Replica?
            while last == nil {
                let before = begun.withLock { $0 }
                let replica = try fixture.start("r\(deaths)", [handler])
                try await until {
                    let isOver = try await !fixture.bus.deadLetters().deadLetters.isEmpty
                    return isOver || begun.withLock { $0 } > before
                }
                if begun.withLock({ $0 }) > before {
                    await replica.crash()
                    deaths += 1
                } else {
                    last = replica
                }
            }
            try await until { try await fixture.lag() == 0 }
            // On a machine so busy that a lease runs out, a replica may have it twice.
            #expect(deaths <= fixture.bus.configuration.maxRetries + 3 && deaths >= 2)
            let letters = try await fixture.bus.deadLetters().deadLetters
            #expect(letters.compactMap(\.event).map { String(decoding: $0.data, as: UTF8.self) } == ["5"])
            #expect(letters.first?.deliveries ?? 0 >= 5)
            #expect(letters.first?.error.contains("ended") == true)
            #expect(Set(done.withLock { $0 }) == Set(0..<100).subtracting([5]))
            // No mark stays.
            #expect(try await fixture.client.send(["KEYS", "*interrupted*"]).array?.isEmpty == true)
            try await last?.leave()
        }
    }
}
