import Domain
import EventBus
import Redis
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2))) struct SubscriberTests {
    @Test func aGroupThatStartsLateSeesEverything() async throws {
        try await BusFixture.run { fixture in
            try await fixture.bus.publish((0..<100).map { event($0) })
            let recorder = Recorder()
            let replica = try fixture.start("r1", [recorder])
            try await until { recorder.numbers.count == 100 }
            #expect(recorder.numbers == Array(0..<100))
            try await until { try await fixture.lag() == 0 }
            try await replica.leave()
        }
    }

    @Test func eventsOfAnExamAreHandledInOrderAcrossTypesAndReplicas() async throws {
        // A lease no busy machine outlasts, so that no partition moves.
        try await BusFixture.run(BusFixture.quick { $0.leaseDuration = .seconds(30) }) { fixture in
            let types: [EventType] = ["sheet.uploaded", "ocr.started", "ocr.completed", "grading.completed"]
            let recorders = (0..<3).map { _ in Recorder() }
            var replicas: [Replica] = []
            for (number, recorder) in recorders.enumerated() {
                replicas.append(try fixture.start("r\(number)", [recorder]))
            }
            try await until { Set(try await fixture.owners().compactMap { $0 }).count == 3 }
            try await fixture.bus.publish(
                (0..<3000).map { event($0, exam: ExamID("exam-\($0 % 30)"), type: types[$0 / 30 % 4]) })
            try await until { recorders.reduce(0) { $0 + $1.numbers.count } == 3000 }
            for number in 0..<30 {
                let exam = ExamID("exam-\(number)")
                let seen = recorders.map { $0.numbers(of: exam) }.filter { !$0.isEmpty }
                #expect(seen == [Array(stride(from: number, to: 3000, by: 30))])
            }
            for replica in replicas { try await replica.leave() }
        }
    }

    @Test func anExamIsHandledOneEventAtATimeAndExamsConcurrently() async throws {
        let configuration = BusFixture.quick { $0.maxConcurrentExams = 4 }
        try await BusFixture.run(configuration) { fixture in
            let running = Mutex<[ExamID: Int]>([:])
            let greatest = Mutex((exams: 0, perExam: 0))
            let recorder = Recorder { stored, _ in
                let exam = stored.event.examID ?? ""
                let now = running.withLock { running in
                    running[exam, default: 0] += 1
                    return (running.count, running[exam] ?? 0)
                }
                greatest.withLock { $0 = (max($0.exams, now.0), max($0.perExam, now.1)) }
                try await Task.sleep(for: .milliseconds(2))
                running.withLock { running in
                    running[exam] = running[exam] == 1 ? nil : (running[exam] ?? 0) - 1
                }
            }
            try await fixture.bus.publish((0..<200).map { event($0, exam: ExamID("exam-\($0 % 10)")) })
            let replica = try fixture.start("r1", [recorder])
            try await until { recorder.numbers.count == 200 }
            try await replica.leave()
            #expect(greatest.withLock { $0 } == (4, 1))
        }
    }

    @Test func aFailingEventIsRepeatedInPlaceWhileOtherExamsGoOn() async throws {
        try await BusFixture.run { fixture in
            let gate = Gate()
            let recorder = Recorder { stored, context in
                if stored.number == 0, context.attempt < 3 { throw Failure() }
                if stored.number == 0 { try await gate.pass() }
            }
            let replica = try fixture.start("r1", [recorder])
            try await fixture.bus.publish([event(0, exam: "a"), event(1, exam: "a"), event(2, exam: "b")])
            try await until { recorder.numbers(of: "b") == [2] && recorder.numbers(of: "a").count == 3 }
            #expect(recorder.numbers(of: "a") == [0, 0, 0])
            gate.open()
            try await until { recorder.numbers(of: "a") == [0, 0, 0, 1] }
            #expect(recorder.all.filter { $0.stored.number == 0 }.map(\.context.attempt) == [1, 2, 3])
            try await until { try await fixture.lag() == 0 }
            #expect(try await fixture.bus.deadLetters().deadLetters.isEmpty)
            try await replica.leave()
        }
    }

    @Test func ofSeveralHandlersOnlyTheOneThatFailedSeesTheEventAgain() async throws {
        try await BusFixture.run { fixture in
            let first = Recorder(name: "first")
            let second = Recorder(name: "second") { _, context in
                if context.attempt == 1 { throw Failure() }
            }
            let other = Recorder(name: "other", types: ["exam.created"])
            let replica = try fixture.start("r1", [first, second, other])
            try await fixture.bus.publish(event(1))
            try await until { second.numbers == [1, 1] }
            try await replica.leave()
            #expect(first.numbers == [1])
            #expect(other.numbers.isEmpty)
        }
    }

    @Test func anEventThatKeepsFailingBecomesADeadLetterAndTheExamGoesOn() async throws {
        try await BusFixture.run { fixture in
            let recorder = Recorder { stored, _ in
                if stored.number == 1 { throw Failure() }
            }
            let replica = try fixture.start("r1", [recorder])
            let bad = event(1)
            let positions = try await fixture.bus.publish([event(0), bad, event(2)])
            try await until { recorder.numbers.last == 2 }
            #expect(recorder.numbers == [0, 1, 1, 1, 1, 2])
            let letter = try #require(try await fixture.bus.deadLetters().deadLetters.first)
            #expect(letter.event == bad)
            #expect(letter.group == "graders")
            #expect(letter.handler == "recorder")
            #expect(letter.deliveries == 4)
            #expect(letter.original == positions[1])
            #expect(letter.error == "Failure()")
            try await until { try await fixture.lag() == 0 }
            try await replica.leave()
            #expect(replica.subscriber.statistics.deadLettered == 1)
        }
    }

    @Test func aReplyThatDidNotComeInTimeIsNoAttemptOfTheEvents() async throws {
        try await BusFixture.run { fixture in
            // All attempts but the last fail; then Redis is slow, twice, and the last attempt succeeds.
            let recorder = Recorder { stored, context in
                if context.attempt < 4 { throw Failure() }
                if stored.number == 1, try await fixture.client.send(["INCR", "slow"]).int ?? 0 <= 2 {
                    throw RedisError(.timedOut, "slow")
                }
            }
            let replica = try fixture.start("r1", [recorder])
            try await fixture.bus.publish(event(1))
            try await until { try await fixture.lag() == 0 }
            #expect(recorder.all.map(\.context.attempt) == [1, 2, 3, 4, 4, 4])
            #expect(try await fixture.bus.deadLetters().deadLetters.isEmpty)
            try await replica.leave()
        }
    }

    @Test func anEventThatRedisNeverAnswersThoughItAnswersOthersBecomesADeadLetter() async throws {
        try await BusFixture.run { fixture in
            let recorder = Recorder { stored, _ in
                if stored.number == 1 { throw RedisError(.timedOut, "never") }
            }
            let replica = try fixture.start("r1", [recorder])
            try await fixture.bus.publish([event(1), event(2)])
            try await until { recorder.numbers.last == 2 }
            // As often without counting as attempts are counted after that.
            #expect(recorder.all.map(\.context.attempt) == [1, 1, 1, 1, 2, 3, 4, 1])
            #expect(try await fixture.bus.deadLetters().deadLetters.map(\.error) == ["timed out: never"])
            try await replica.leave()
        }
    }

    @Test func aRejectedEventIsNotTriedAgain() async throws {
        try await BusFixture.run { fixture in
            let recorder = Recorder { _, _ in throw EventRejection("no such exam") }
            let replica = try fixture.start("r1", [recorder])
            try await fixture.bus.publish(event(1))
            try await until { try await fixture.bus.deadLetters().deadLetters.count == 1 }
            #expect(recorder.numbers == [1])
            #expect(try await fixture.bus.deadLetters().deadLetters.first?.error == "no such exam")
            try await replica.leave()
        }
    }

    @Test func requeuedEventsReachOnlyTheGroupThatFailedInTheirOrder() async throws {
        try await BusFixture.run { fixture in
            let isBroken = Mutex(true)
            let failing = Recorder { _, _ in
                if isBroken.withLock({ $0 }) { throw EventRejection("broken") }
            }
            let healthy = Recorder()
            let replicas = [
                try fixture.start("r1", [failing]), try fixture.start("r2", group: "readers", [healthy]),
            ]
            try await fixture.bus.publish((0..<20).map { event($0) })
            try await until { try await fixture.bus.deadLetters().deadLetters.count == 20 }
            isBroken.withLock { $0 = false }
            let letters = try await fixture.bus.deadLetters(
                DeadLetterQuery(group: "graders", filter: EventFilter(examID: "exam-1"))
            ).deadLetters
            #expect(try await fixture.bus.requeue(letters.map(\.id).shuffled()) == 20)
            try await until { failing.numbers.count == 40 }
            #expect(failing.numbers.suffix(20) == Array(0..<20)[...])
            try await until { try await fixture.lag(of: "readers") == 0 }
            #expect(healthy.numbers == Array(0..<20))
            #expect(try await fixture.bus.deadLetters().deadLetters.isEmpty)
            // History shows each event once.
            #expect(try await fixture.bus.history(EventQuery()).events.map(\.number) == Array(0..<20))
            for replica in replicas { try await replica.leave() }
        }
    }

    @Test func deadLettersAreShownAndPurged() async throws {
        try await BusFixture.run { fixture in
            let replica = try fixture.start("r1", [Recorder { _, _ in throw EventRejection("no") }])
            try await fixture.bus.publish((0..<6).map { event($0, exam: ExamID("exam-\($0)")) })
            try await until { try await fixture.bus.deadLetters().deadLetters.count == 6 }
            let page = try await fixture.bus.deadLetters(DeadLetterQuery(limit: 4))
            let rest = try await fixture.bus.deadLetters(DeadLetterQuery(cursor: page.next, limit: 4))
            #expect(page.deadLetters.count == 4)
            let ids = (page.deadLetters + rest.deadLetters).map(\.id)
            #expect(Set(ids).count == 6)
            #expect(try await fixture.bus.deadLetter(ids[0])?.error == "no")
            #expect(try await fixture.bus.purge(ids) == 6)
            #expect(try await fixture.bus.deadLetter(ids[0]) == nil)
            try await replica.leave()
        }
    }

    @Test func anEntryThatIsNoEventBecomesADeadLetter() async throws {
        try await BusFixture.run { fixture in
            let recorder = Recorder()
            let replica = try fixture.start("r1", [recorder])
            _ = try await fixture.client.send(["XADD", fixture.bus.keys.events(3), "*", "colour", "red"])
            try await fixture.bus.publish(event(1))
            try await until { try await fixture.bus.deadLetters().deadLetters.count == 1 }
            try await until { recorder.numbers == [1] }
            let letter = try #require(try await fixture.bus.deadLetters().deadLetters.first)
            #expect(letter.event == nil)
            // It can't be brought back, and stays to be looked at.
            #expect(try await fixture.bus.requeue([letter.id]) == 0)
            #expect(try await fixture.bus.deadLetters().deadLetters.count == 1)
            try await replica.leave()
        }
    }

    @Test func eventsNobodyHandlesAreAcknowledged() async throws {
        try await BusFixture.run { fixture in
            let recorder = Recorder(types: ["exam.created"])
            let replica = try fixture.start("r1", [recorder])
            try await fixture.bus.publish((0..<50).map { event($0, type: $0 == 49 ? "exam.created" : "a.b") })
            try await until { recorder.numbers == [49] }
            try await until { try await fixture.lag() == 0 }
            #expect(replica.subscriber.statistics.skipped == 49)
            try await replica.leave()
        }
    }

    @Test(arguments: ["", "two words", "line\nfeed"])
    func aNameThatWouldBreakKeysIsRefused(name: String) async throws {
        try await BusFixture.run { fixture in
            let replica = try fixture.start("r1", group: name, [Recorder()])
            await #expect(throws: (any Error).self) { try await replica.leave() }
        }
    }
}
