import Domain
import EventBus
import Redis
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

/// Adds every event's number to figures of its exam, kept under the group: live and replayed ones apart.
struct FiguresHandler: EventHandler {
    let client: RedisClient
    let keys: RedisKeys
    let name = "figures"
    let eventTypes: Set<EventType> = ["grading.completed"]

    private static let script = RedisScript(
        name: "add_figures",
        source: EffectGuard.prelude
            + Array(
                """
                local refused = effect_guard.check()
                if refused then return refused end
                redis.call('HINCRBY', KEYS[3], 'count', 1)
                redis.call('HINCRBY', KEYS[3], 'sum', ARGV[4])
                redis.call('HSET', KEYS[3], 'last', ARGV[4])
                effect_guard.record()
                return 'OK'
                """.utf8))

    func handle(_ event: StoredEvent, context: HandlingContext) async throws {
        let key = self.key(event.event.examID ?? "", event.partition, group: context.group)
        let reply = try await client.evaluate(
            Self.script, keys: context.effectGuard.keys + [key],
            arguments: context.effectGuard.arguments + [event.number])
        try context.effectGuard.wasApplied(reply)
    }

    func key(_ exam: ExamID, _ partition: Int, group: String) -> String {
        keys.record(partition, "exam:\(exam):figures:\(group)")
    }

    func figures(_ exam: ExamID, _ partition: Int, group: String) async throws -> [String] {
        try await client.send(["HMGET", key(exam, partition, group: group), "count", "sum", "last"])
            .array?.map { $0.string ?? "" } ?? []
    }
}

private typealias HostReplica = Running<ReplayHost>

@Suite(.timeLimit(.minutes(3))) struct ReplayTests {
    private static let exams = (0..<20).map { ExamID("exam-\($0)") }

    private func publish(_ count: Int, _ fixture: BusFixture) async throws {
        for first in stride(from: 0, to: count, by: 500) {
            try await fixture.bus.publish(
                (first..<min(first + 500, count)).map {
                    event($0, exam: Self.exams[$0 % 20], type: $0 % 5 == 4 ? "ocr.started" : "grading.completed")
                })
        }
    }

    private func host(_ fixture: BusFixture, _ name: String, _ handlers: [any EventHandler]) throws -> HostReplica {
        let client = RedisClient(
            configuration: try RedisConfiguration(url: fixture.server.url), logger: BusFixture.logger)
        let bus = EventBus(
            client: client, keys: fixture.bus.keys, configuration: fixture.bus.configuration, source: "/zhiyue/\(name)")
        return Running(
            ReplayHost(
                bus: bus, group: "graders", replica: name, handlers: handlers, logger: BusFixture.logger),
            client: client)
    }

    private func finished(_ id: ReplayID, _ fixture: BusFixture) async throws -> ReplayStatus {
        try await until { try await fixture.bus.replay(id)?.isFinished == true }
        return try #require(try await fixture.bus.replay(id))
    }

    @Test func aReplayGivesTheSameFiguresAsLiveHandling() async throws {
        try await BusFixture.run { fixture in
            let figures = FiguresHandler(client: fixture.client, keys: fixture.bus.keys)
            let live = try fixture.start("r1", [figures])
            try await publish(4000, fixture)
            try await until { try await fixture.lag() == 0 }
            let status = try await fixture.bus.replay(into: figures, logger: BusFixture.logger)
            #expect(status.state == .completed)
            #expect((status.total, status.handled, status.failed) == (4000, 4000, 0))
            for exam in Self.exams {
                let partition = fixture.bus.partition(of: exam)
                let expected = try await figures.figures(exam, partition, group: "graders")
                #expect(
                    expected.first.flatMap { Int($0) } ?? 0 > 0 || exam.rawValue.hasSuffix("4")
                        || exam.rawValue.hasSuffix("9"))
                #expect(try await figures.figures(exam, partition, group: status.group) == expected)
            }
            // Live handling goes on as if nothing had been.
            try await fixture.bus.publish(event(7, exam: "exam-1", type: "grading.completed"))
            try await until { try await fixture.lag() == 0 }
            #expect(
                try await figures.figures("exam-1", fixture.bus.partition(of: "exam-1"), group: "graders")[2] == "7")
            #expect(try await fixture.bus.deadLetters().deadLetters.isEmpty)
            // Nothing of the replay stays in the partitions but what the handler made.
            let left = try await fixture.client.send(["KEYS", "*\(status.group)*"]).array?.compactMap(\.string) ?? []
            #expect(left.allSatisfy { $0.contains("figures") || $0 == "zhiyue:replay:\(status.id)" })
            try await live.leave()
        }
    }

    @Test func aDryRunCountsAndChangesNothing() async throws {
        try await BusFixture.run { fixture in
            try await publish(1000, fixture)
            let before = try fixture.server.command("DBSIZE")
            func count(_ filter: EventFilter, to: Timestamp? = nil) async throws -> ReplayCount {
                try await fixture.bus.countReplay(
                    ReplayRequest(target: .handler(group: "graders", name: "figures"), filter: filter, to: to))
            }
            let all = try await count(EventFilter())
            #expect(all.events == 1000)
            #expect(all.byType == ["ocr.started": 200, "grading.completed": 800])
            #expect(all.exams == 20)
            #expect(try await count(EventFilter(examID: "exam-3")).events == 50)
            #expect(try await count(EventFilter(types: ["ocr.started"])).events == 200)
            #expect(try await count(EventFilter(correlationID: "other")).events == 0)
            let first = try #require(all.first)
            #expect(try await count(EventFilter(), to: Timestamp(milliseconds: first.milliseconds - 1)).events == 0)
            #expect(try fixture.server.command("DBSIZE") == before)
        }
    }

    @Test func aServiceRunsWhatIsRequestedOfItsHandler() async throws {
        try await BusFixture.run { fixture in
            try await publish(600, fixture)
            let recorder = Recorder(name: "recorder", types: ["ocr.started"])
            let hosted = try host(fixture, "h1", [recorder, Recorder(name: "other")])
            try await until { try await fixture.bus.replayableHandlers().count == 2 }
            #expect(try await fixture.bus.replayableHandlers().map(\.name) == ["other", "recorder"])
            let request = ReplayRequest(
                target: .handler(group: "graders", name: "recorder"), filter: EventFilter(examID: "exam-4"),
                requestedBy: "li")
            let started = try await fixture.bus.startReplay(request)
            let status = try await finished(started.id, fixture)
            #expect(status.state == .completed)
            #expect(status.handled == 30)
            #expect(status.replica == "h1")
            #expect(status.request.requestedBy == "li")
            #expect(recorder.numbers == Array(stride(from: 4, to: 600, by: 20)))
            #expect(recorder.all.allSatisfy { $0.context.group == started.group })
            #expect(try await fixture.bus.replays().map(\.id) == [started.id])
            try await hosted.leave()
        }
    }

    @Test func aHandlerNobodyHasIsRefused() async throws {
        try await BusFixture.run { fixture in
            let error = await #expect(throws: EventBusError.self) {
                try await fixture.bus.startReplay(ReplayRequest(target: .handler(group: "graders", name: "nobody")))
            }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.contains("nobody") == true)
        }
    }

    @Test func whatFailsIsCountedAndTheReplayGoesOn() async throws {
        try await BusFixture.run { fixture in
            try await fixture.bus.publish((0..<30).map { event($0) })
            let recorder = Recorder { stored, context in
                if stored.number == 3 { throw EventRejection("three") }
                if stored.number == 5, context.attempt < 3 { throw Failure() }
            }
            let status = try await fixture.bus.replay(into: recorder, logger: BusFixture.logger)
            #expect((status.handled, status.failed) == (29, 1))
            #expect(status.failures.map(\.error) == ["three"])
            #expect(recorder.numbers.filter { $0 == 5 }.count == 3)
            #expect(try await fixture.bus.deadLetters().deadLetters.isEmpty)
        }
    }

    @Test func aCancelledReplayStopsAndItsEffectsAreRefused() async throws {
        try await BusFixture.run { fixture in
            try await publish(2000, fixture)
            let gate = Gate()
            let effect = EffectHandler(client: fixture.client, keys: fixture.bus.keys)
            let recorder = Recorder { _, _ in try await gate.pass() }
            let hosted = try host(fixture, "h1", [recorder])
            try await until { try await !fixture.bus.replayableHandlers().isEmpty }
            let started = try await fixture.bus.startReplay(
                ReplayRequest(target: .handler(group: "graders", name: "recorder")))
            try await until { !recorder.all.isEmpty }
            #expect(try await fixture.bus.cancelReplay(started.id))
            #expect(try await !fixture.bus.cancelReplay(started.id))
            let seen = try #require(recorder.all.first)
            let error = await #expect(throws: EventBusError.self) {
                try await effect.apply(seen.stored, guarding: seen.context.effectGuard)
            }
            #expect(error?.code == .staleOwner)
            gate.open()
            #expect(try await fixture.bus.replay(started.id)?.state == .cancelled)
            #expect(try await fixture.bus.replay(started.id)?.handled == 0)
            try await hosted.leave()
        }
    }

    @Test func aReplayGoesOnAfterItsReplicaDiesAndMakesEachEffectOnce() async throws {
        try await BusFixture.run { fixture in
            try await publish(3000, fixture)
            let figures = FiguresHandler(client: fixture.client, keys: fixture.bus.keys)
            let stop = Mutex(500)
            let slow = Recorder(name: "figures", types: figures.eventTypes) { stored, context in
                try await figures.handle(stored, context: context)
                // After the effect: the next replica is told it again.
                if stop.withLock({ count in
                    count -= 1
                    return count < 0
                }) {
                    try await Task.sleep(for: .seconds(1000))
                }
            }
            let first = try host(fixture, "h1", [slow])
            try await until { try await !fixture.bus.replayableHandlers().isEmpty }
            let started = try await fixture.bus.startReplay(
                ReplayRequest(target: .handler(group: "graders", name: "figures")))
            try await until { stop.withLock { $0 } < 0 }
            await first.crash()
            let second = try host(fixture, "h2", [figures])
            let status = try await finished(started.id, fixture)
            #expect(status.replica == "h2")
            #expect(status.handled == 3000)
            var count = 0
            for exam in Self.exams {
                let values = try await figures.figures(exam, fixture.bus.partition(of: exam), group: started.group)
                count += Int(values[0]) ?? 0
            }
            #expect(count == 2400)
            try await second.leave()
        }
    }

    @Test func aTemporaryGroupSeesTheRangeAndIsRemoved() async throws {
        try await BusFixture.run { fixture in
            let live = Recorder()
            let replica = try fixture.start("r1", [live])
            try await publish(500, fixture)
            try await until { try await fixture.lag() == 0 }
            let started = try await fixture.bus.startReplay(
                ReplayRequest(target: .temporaryGroup, filter: EventFilter(types: ["ocr.started"])))
            #expect((started.total, started.state) == (100, .waiting))
            try await publish(50, fixture)
            let recorder = Recorder()
            let subscriber = try await fixture.bus.subscriber(
                replaying: started.id, replica: "t1", handlers: [recorder], logger: BusFixture.logger)
            let replayed = Replica(
                subscriber,
                client: RedisClient(
                    configuration: try RedisConfiguration(url: fixture.server.url), logger: BusFixture.logger))
            try await until { try await fixture.bus.replay(started.id)?.state == .completed }
            #expect(try await fixture.bus.replay(started.id)?.handled == 100)
            #expect(recorder.numbers.sorted() == Array(stride(from: 4, to: 500, by: 5)))
            try await replayed.leave()
            #expect(try await fixture.bus.cancelReplay(started.id))
            let groups = try await fixture.bus.statistics().flatMap { $0.groups.map(\.group) }
            #expect(Set(groups) == ["graders"])
            #expect(live.numbers.count == 550)
            try await replica.leave()
        }
    }
}
