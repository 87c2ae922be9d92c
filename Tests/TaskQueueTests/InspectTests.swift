import Domain
import Redis
import Testing

@testable import TaskQueue

@Suite struct InspectTests {
    @Test func `the record of a task is JSON with the names of the interface`() async throws {
        let fixture = try await QueueFixture(clock: true)
        try await fixture.submit("a", .low)
        let json = try JSON.decode(JSONValue.self, from: try JSON.encode(try await fixture.record("a")))
        #expect(
            json
                == .object([
                    "id": .string("a"), "type": .string("job"), "state": .string("ready"), "priority": .string("low"),
                    "attempt": .integer(0), "max_attempts": .integer(4), "stalls": .integer(0),
                    "created_at": .string("2027-01-15T08:00:00.000Z"), "cancel_requested": .bool(false),
                    "payload": .object(["name": .string("a")]), "correlation_id": .string("correlation"),
                    "exam_id": .string("exam"), "history": .array([]),
                ]))
        #expect(try await fixture.queue.task(type: Job.type, id: "none") == nil)
    }

    @Test func `pages of all tasks name each once and end`() async throws {
        let fixture = try await QueueFixture(clock: true)
        for number in 0..<5 { try await fixture.submit("high\(number)", .high) }
        for number in 0..<5 { try await fixture.submit("low\(number)", .low) }
        for number in 0..<5 { try await fixture.submit("later\(number)", delay: .seconds(100 + number)) }
        let claims = try await fixture.claim(4)
        #expect(try await fixture.queue.complete(claims[0], result: []))
        #expect(try await fixture.queue.fail(claims[1], error: "x", mode: .bury))
        try await fixture.queue.cancel(type: Job.type, id: "low2")
        for limit in [1, 2, 3, 7, 100] {
            var seen: [TaskID] = []
            var cursor: String?
            repeat {
                let page = try await fixture.queue.tasks(type: Job.type, cursor: cursor, limit: limit)
                #expect(page.items.count <= limit)
                seen += page.items.map(\.id)
                cursor = page.nextCursor
            } while cursor != nil
            #expect(seen.count == 15)
            #expect(Set(seen).count == 15)
        }
        func names(_ state: TaskState) async throws -> [TaskID] {
            try await fixture.queue.tasks(type: Job.type, state: state).items.map(\.id)
        }
        #expect(try await names(.completed) == ["high0"])
        #expect(try await names(.failed) == ["high1"])
        #expect(try await names(.running) == ["high2", "high3"])
        #expect(try await names(.ready) == ["high4", "low0", "low1", "low3", "low4"])
        #expect(try await names(.scheduled) == (0..<5).map { TaskID("later\($0)") })
        #expect(try await names(.cancelled) == ["low2"])
    }

    @Test(arguments: ["", "nonsense", "ready:high@x", "dead@1", "finished@x/y", "elsewhere@1/a"])
    func `a malformed cursor is refused`(cursor: String) async throws {
        let fixture = try await QueueFixture()
        await expect(.invalid) { _ = try await fixture.queue.tasks(type: Job.type, cursor: cursor) }
    }

    @Test func `statistics count by priority and tell how long the first waits`() async throws {
        let fixture = try await QueueFixture(clock: true)
        try await fixture.submit("a", .high)
        try await fixture.clock?.advance(.seconds(2))
        try await fixture.submit("b", .high)
        try await fixture.submit("c", .low, delay: .seconds(60))
        try await fixture.clock?.advance(.seconds(3))
        var statistics = try await fixture.queue.statistics(type: Job.type)
        #expect(statistics.map(\.priority) == [.high, .normal, .low])
        #expect(statistics.map(\.ready) == [2, 0, 0])
        #expect(statistics.map(\.scheduled) == [0, 0, 1])
        #expect(statistics.map(\.oldestSeconds) == [5, 0, 0])
        try await fixture.queue.cancel(type: Job.type, id: "a")
        statistics = try await fixture.queue.statistics(type: Job.type)
        #expect(statistics.map(\.oldestSeconds) == [3, 0, 0])
        _ = try await fixture.claimOne()
        #expect(try await fixture.queue.statistics(type: Job.type).map(\.running) == [1, 0, 0])
    }
}
