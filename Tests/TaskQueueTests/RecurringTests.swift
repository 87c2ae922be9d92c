import Domain
import Redis
import Testing

@testable import TaskQueue

/// Work that recurs.
@Suite(.timeLimit(.minutes(1))) struct RecurringTests {
    private func schedule(_ cron: String = "0 3 * * *", name: String = "nightly", zone: String = "UTC") throws
        -> TaskSchedule
    {
        TaskSchedule(
            name: name, type: Job.type, cron: try CronExpression(cron), zone: zone,
            payload: .object(["name": .string("report")]), priority: .low)
    }

    private func scheduled(_ fixture: QueueFixture) async throws -> [TaskRecord] {
        try await fixture.queue.tasks(type: Job.type, state: .scheduled).items
    }

    @Test func `the task of the next time waits until then, with what the schedule says`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.queue.put(try schedule())
        let task = try #require(try await scheduled(fixture).first)
        let due = try #require(task.dueAt)
        #expect(due.milliseconds % 86_400_000 == 3 * 3_600_000)
        #expect((0...86_400_000).contains(due.milliseconds - Timestamp.now.milliseconds))
        #expect(task.priority == .low)
        #expect(task.payload == .object(["name": .string("report")]))
        let placed = try await fixture.queue.schedules(type: Job.type)
        #expect(placed.map(\.schedule) == [try schedule()])
        #expect(placed.map(\.next) == [due])
    }

    @Test func `once its time has come, the next is placed once, however many workers do so`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.queue.put(try schedule("* * * * *"))
        let first = try #require(try await scheduled(fixture).first?.dueAt)
        // As if that minute had passed.
        _ = try await fixture.client.send(["ZADD", fixture.key("schedule-places"), 1, "nightly"])
        _ = try await fixture.client.send(["DEL", fixture.key("task:nightly:\(first.milliseconds)")])
        _ = try await fixture.client.send(["DEL", fixture.key("scheduled")])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { try await fixture.queue.placeRecurring(Job.type) } }
            try await group.waitForAll()
        }
        let times = try await scheduled(fixture).compactMap(\.dueAt)
        // Twenty that straddle the turn of a minute place the tasks of both, each once.
        #expect((1...2).contains(times.count))
        #expect(Set(times).count == times.count)
        #expect(times.allSatisfy { $0.milliseconds % 60_000 == 0 && $0 >= first })
    }

    @Test func `a changed schedule takes its old task back, and a removed one leaves none`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.queue.put(try schedule("0 3 * * *"))
        try await fixture.queue.put(try schedule("30 4 * * *"))
        let due = try #require(try await scheduled(fixture).first?.dueAt)
        #expect(try await scheduled(fixture).count == 1)
        #expect(due.milliseconds % 86_400_000 == 4 * 3_600_000 + 1_800_000)
        #expect(try await fixture.queue.removeSchedule(type: Job.type, name: "nightly"))
        #expect(try await scheduled(fixture).isEmpty)
        #expect(try await fixture.queue.schedules(type: Job.type).isEmpty)
        #expect(try await !fixture.queue.removeSchedule(type: Job.type, name: "nightly"))
    }

    @Test func `a worker runs what is due and places what follows`() async throws {
        let fixture = try await QueueFixture { $0.reapInterval = .milliseconds(50) }
        try await fixture.queue.put(try schedule("* * * * *"))
        let due = try #require(try await scheduled(fixture).first?.dueAt)
        let id = "nightly:\(due.milliseconds)"
        // As if its minute had come.
        _ = try await fixture.client.send(["ZADD", fixture.key("scheduled"), "XX", 1, id])
        _ = try await fixture.client.send(["ZADD", fixture.key("schedule-places"), "XX", 1, "nightly"])
        let greatest = GreatestPerExam()
        let worker = fixture.worker([CountingJobHandler(greatest: greatest)])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await worker.run() }
            try await until("it has run") {
                try await fixture.queue.task(type: Job.type, id: TaskID(id))?.state == .completed
            }
            try await until("what follows is placed") {
                try await fixture.queue.schedules(type: Job.type).first?.next.map { $0.milliseconds > 1 } == true
            }
            group.cancelAll()
        }
        #expect(greatest.done >= 1)
    }

    @Test func `a schedule that cannot be placed does not hold up the others`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.queue.put(try schedule(name: "good"))
        // As if this machine, unlike the one it was set on, did not know the zone.
        let lost = try JSON.encode(try schedule(name: "bad", zone: "Nowhere/City"))
        _ = try await fixture.client.send(["HSET", fixture.key("schedules"), "bad", lost])
        _ = try await fixture.client.send(["ZADD", fixture.key("schedule-places"), 0, "bad", 1, "good"])
        await #expect(throws: TaskQueueError.self) { try await fixture.queue.placeRecurring(Job.type) }
        let places = try await fixture.queue.schedules(type: Job.type)
        #expect(places.map(\.schedule.name) == ["bad", "good"])
        #expect(places.map { $0.next != nil } == [false, true])
    }

    @Test(arguments: [
        ("0 0 30 2 *", "UTC", "a"), ("@daily", "Nowhere/City", "a"), ("@daily", "UTC", "a b"), ("@daily", "UTC", ""),
    ])
    func `what can never be or is malformed is refused`(cron: String, zone: String, name: String) async throws {
        let fixture = try await QueueFixture()
        await #expect(throws: TaskQueueError.self) {
            try await fixture.queue.put(try schedule(cron, name: name, zone: zone))
        }
        #expect(try await fixture.queue.schedules(type: Job.type).isEmpty)
    }
}
