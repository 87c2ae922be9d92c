import Domain
import Redis
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import EventBus

private typealias Publishing = Running<EventPublisher>

extension Running<EventPublisher> {
    fileprivate var publisher: EventPublisher { subject }

    fileprivate convenience init(
        _ fixture: BusFixture, _ change: (inout EventPublisherConfiguration) -> Void = { _ in }
    ) throws {
        var redis = try RedisConfiguration(url: fixture.server.url)
        redis.commandTimeout = .milliseconds(500)
        redis.connectTimeout = .milliseconds(500)
        let client = RedisClient(configuration: redis, logger: BusFixture.logger)
        var configuration = EventPublisherConfiguration()
        configuration.timeout = .seconds(60)
        change(&configuration)
        let bus = EventBus(
            client: client, keys: fixture.bus.keys, configuration: fixture.bus.configuration,
            source: "/zhiyue/publisher")
        self.init(
            EventPublisher(bus: bus, configuration: configuration, logger: BusFixture.logger), client: client)
    }
}

@Suite(.timeLimit(.minutes(3))) struct EventPublisherTests {
    private static let exams = (0..<16).map { ExamID("exam-\($0)") }

    /// Publishes `count` events from each of 16 callers, one exam each, awaiting each event.
    private func publish(_ count: Int, _ publisher: EventPublisher) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for exam in Self.exams {
                tasks.addTask {
                    for number in 0..<count {
                        // Some are compressed, some are kept aside.
                        var event = event(number, exam: exam)
                        if number % 50 == 49 { event.data = Self.large(number) }
                        try await publisher.publish(event)
                    }
                }
            }
            try await tasks.waitForAll()
        }
    }

    private static let noise = (0..<20_000).map { _ in UInt8.random(in: 0...255) }

    private static func large(_ number: Int) -> [UInt8] { Array("\(number)".utf8) + noise }

    private func expectOnceAndInOrder(_ count: Int, _ fixture: BusFixture) async throws {
        for exam in Self.exams {
            var subjects: [String] = []
            var query = EventQuery(filter: EventFilter(examID: exam), limit: 10_000)
            repeat {
                let page = try await fixture.bus.history(query)
                subjects += page.events.map(\.event.subject)
                query.cursor = page.next
            } while query.cursor != nil
            let isRight = subjects == (0..<count).map { "subject-\($0)" }
            #expect(isRight, "\(exam) has \(subjects.count) events, \(Set(subjects).count) different ones")
        }
    }

    @Test func manyCallersShareWritesAndEachKeepsItsOrder() async throws {
        try await BusFixture.run { fixture in
            let publishing = try Publishing(fixture)
            try await publish(100, publishing.publisher)
            try await expectOnceAndInOrder(100, fixture)
            #expect(publishing.publisher.statistics.published == 1600)
            let positions = try await publishing.publisher.publish((0..<700).map { event($0, exam: "batch") })
            #expect(positions == positions.sorted())
            let first = try await publishing.publisher.publish(event(1, exam: "key"), deduplicationKey: "once")
            #expect(try await publishing.publisher.publish(event(2, exam: "key"), deduplicationKey: "once") == first)
            try await publishing.leave()
        }
    }

    @Test func eventsWhoseRepliesAreLostAreAppendedOnce() async throws {
        try await BusFixture.run { fixture in
            let publishing = try Publishing(fixture)
            let isOver = Gate()
            async let killing: Int = {
                var kills = 0
                while !isOver.isPassed {
                    let clients = try await fixture.client.send(["CLIENT", "LIST"]).string ?? ""
                    for line in clients.split(separator: "\n") where line.contains("name=zhiyue:publisher") {
                        let id = line.split(separator: " ")[0].dropFirst(3)
                        if (try? await fixture.client.send(["CLIENT", "KILL", "ID", id])) != nil { kills += 1 }
                    }
                    // Longer than it takes to connect again, so that there is progress between.
                    try await Task.sleep(for: .milliseconds(150))
                }
                return kills
            }()
            try await publish(400, publishing.publisher)
            isOver.open()
            #expect(try await killing > 0)
            try await expectOnceAndInOrder(400, fixture)
            #expect(publishing.publisher.statistics.failed == 0)
            try await publishing.leave()
        }
    }

    @Test func eventsSentToAFrozenRedisAreAppendedOnce() async throws {
        try await BusFixture.run { fixture in
            let publishing = try Publishing(fixture)
            async let published: Void = publish(300, publishing.publisher)
            for _ in 0..<3 {
                let before = publishing.publisher.statistics.published
                try await until { publishing.publisher.statistics.published > before + 100 }
                fixture.server.freeze()
                // Longer than a command may take, so that the connection is given up.
                try await Task.sleep(for: .milliseconds(1500))
                fixture.server.thaw()
            }
            try await published
            try await expectOnceAndInOrder(300, fixture)
            #expect(publishing.publisher.statistics.failed == 0)
            try await publishing.leave()
        }
    }

    @Test func publishingGoesOnAfterARestart() async throws {
        try await BusFixture.run { fixture in
            try fixture.server.command("CONFIG SET appendfsync always")
            let publishing = try Publishing(fixture)
            async let published: Void = publish(200, publishing.publisher)
            try await until { publishing.publisher.statistics.published > 500 }
            try fixture.server.restart()
            try await published
            try await expectOnceAndInOrder(200, fixture)
            try await publishing.leave()
        }
    }

    @Test func aFullBufferMakesCallersWait() async throws {
        try await BusFixture.run { fixture in
            let publishing = try Publishing(fixture) { $0.maxEvents = 10 }
            try await publishing.publisher.publish(event(0, exam: "exam-0"))
            fixture.server.freeze()
            async let published: Void = publish(1, publishing.publisher)
            try await until { publishing.publisher.statistics.buffered == 10 }
            fixture.server.thaw()
            try await published
            #expect(publishing.publisher.statistics.published == 17)
            #expect(publishing.publisher.statistics.failed == 0)
            try await publishing.leave()
        }
    }

    @Test func aFullBufferIsAClearErrorWhenAskedFor() async throws {
        try await BusFixture.run { fixture in
            let publishing = try Publishing(fixture) { configuration in
                configuration.maxEvents = 10
                configuration.whenFull = .fail
            }
            fixture.server.freeze()
            let waiting = (0..<10).map { number in
                Task { try await publishing.publisher.publish(event(number)) }
            }
            try await until { publishing.publisher.statistics.buffered == 10 }
            let error = await #expect(throws: EventBusError.self) {
                try await publishing.publisher.publish(event(10))
            }
            #expect(error?.code == .bufferFull)
            fixture.server.thaw()
            for task in waiting { _ = try await task.value }
            try await publishing.leave()
        }
    }

    @Test func whenRedisStaysAwayCallersAreToldThatNothingWasAppended() async throws {
        try await BusFixture.run { fixture in
            fixture.server.kill()
            let publishing = try Publishing(fixture) { configuration in
                configuration.timeout = .milliseconds(300)
                configuration.maxEvents = 1
            }
            let both = [0, 1].map { number in Task { try await publishing.publisher.publish(event(number)) } }
            var codes: [EventBusError.Code] = []
            for task in both {
                let error = await #expect(throws: EventBusError.self) { try await task.value }
                if let error { codes.append(error.code) }
            }
            #expect(codes.contains(.notPublished))
            #expect(codes.allSatisfy { $0 == .notPublished || $0 == .bufferFull })
            try fixture.server.restart()
            try await until { publishing.publisher.statistics.buffered == 0 }
            #expect(try await fixture.bus.history(EventQuery()).events.isEmpty)
            try await publishing.leave()
        }
    }

    @Test func aCancelledCallersEventIsWithdrawnWhileItWaits() async throws {
        try await BusFixture.run { fixture in
            fixture.server.kill()
            let publishing = try Publishing(fixture)
            let task = Task { try await publishing.publisher.publish(event(1)) }
            let other = Task { try await publishing.publisher.publish(event(2)) }
            try await until { publishing.publisher.statistics.buffered == 2 }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            try fixture.server.restart()
            _ = try await other.value
            #expect(try await fixture.bus.history(EventQuery()).events.map(\.number) == [2])
            try await publishing.leave()
        }
    }

    @Test func whatRedisRefusesIsTheCallersErrorAndTheRestGoesOn() async throws {
        try await BusFixture.run { fixture in
            let publishing = try Publishing(fixture)
            try await publishing.publisher.publish(event(1))
            try fixture.server.command("CONFIG SET maxmemory 1")
            let error = await #expect(throws: RedisError.self) { try await publishing.publisher.publish(event(2)) }
            #expect(error?.code == .refused("OOM"))
            var large = event(3)
            large.data = Self.large(3)
            await #expect(throws: RedisError.self) { try await publishing.publisher.publish(large) }
            try fixture.server.command("CONFIG SET maxmemory 0")
            try await publishing.publisher.publish(event(4))
            #expect(try await fixture.bus.history(EventQuery()).events.map(\.number) == [1, 4])
            try await publishing.leave()
        }
    }

    @Test func atShutdownWhatWaitsIsSentAndNothingMoreIsTaken() async throws {
        try await BusFixture.run { fixture in
            let publishing = try Publishing(fixture)
            fixture.server.freeze()
            let waiting = (0..<50).map { number in Task { try await publishing.publisher.publish(event(number)) } }
            try await until { publishing.publisher.statistics.buffered == 50 }
            async let leaving: Void = publishing.leave()
            fixture.server.thaw()
            for task in waiting { _ = try await task.value }
            try await leaving
            #expect(try await fixture.bus.history(EventQuery()).events.count == 50)
            let error = await #expect(throws: EventBusError.self) {
                try await publishing.publisher.publish(event(50))
            }
            #expect(error?.code == .notPublished)
        }
    }
}
