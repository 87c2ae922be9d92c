import Domain
import Redis
import TestSupport
import Testing

@testable import TaskQueue

@Suite struct ReapTests {
    /// A queue whose first look at Redis is long over.
    private func settled(
        _ configure: (inout TaskQueueConfiguration) -> Void = { _ in }
    ) async throws -> (QueueFixture, ScriptClock) {
        let fixture = try await QueueFixture(clock: true, configure: configure)
        let clock = try #require(fixture.clock)
        #expect(try await fixture.queue.reap(Job.type) == .init())
        try await clock.advance(.seconds(60))
        return (fixture, clock)
    }

    @Test func `a task whose lease ran out is the next of its list, and its old claim is refused`() async throws {
        let (fixture, clock) = try await settled()
        try await fixture.submit("a")
        let lost = try await fixture.claimOne()
        try await fixture.submit("b")
        try await clock.advance(.milliseconds(9999))
        #expect(try await fixture.queue.reap(Job.type).taken == 0)
        try await clock.advance(.milliseconds(1))
        #expect(try await fixture.queue.reap(Job.type).taken == 1)
        #expect(try await fixture.queue.reap(Job.type).taken == 0)
        #expect(try await !fixture.queue.complete(lost, result: []))
        let again = try await fixture.claimOne()
        #expect(again.id == "a")
        #expect(again.attempt == 1)
        #expect(again.fence > lost.fence)
        #expect(try await fixture.record("a").stalls == 1)
    }

    @Test func `a heartbeat keeps the lease and shows the progress`() async throws {
        let (fixture, clock) = try await settled()
        try await fixture.submit("a")
        let claim = try await fixture.claimOne()
        for _ in 0..<5 {
            try await clock.advance(.seconds(8))
            let beat = TaskQueue.Beat(id: "a", fence: claim.fence, progress: (0.5, "half way"))
            #expect(try await fixture.queue.heartbeat(Job.type, [beat]) == [.goOn])
            #expect(try await fixture.queue.reap(Job.type).taken == 0)
        }
        let record = try await fixture.record("a")
        #expect(record.progress == 0.5)
        #expect(record.message == "half way")
        #expect(record.worker == "worker")
    }

    @Test func `a task that lost three workers is condemned, and one that lost six is dead`() async throws {
        let (fixture, clock) = try await settled()
        try await fixture.submit("poison")
        for stall in 1...6 {
            let claim = try await fixture.claimOne()
            #expect((claim.condemned != nil) == (stall > 3))
            #expect(claim.attempt == (stall > 3 ? 0 : 1))
            try await clock.advance(.seconds(10))
            let reaped = try await fixture.queue.reap(Job.type)
            #expect(reaped.condemned == (stall == 3 ? 1 : 0))
            #expect(reaped.buried == (stall == 6 ? 1 : 0))
        }
        let record = try await fixture.record("poison")
        #expect(record.state == .failed)
        #expect(record.error == "The worker stopped answering, 6 time(s).")
        #expect(try await fixture.totals() == (0, 0, 0, 1))
    }

    @Test func `a cancelled task whose worker is lost ends as cancelled`() async throws {
        let (fixture, clock) = try await settled()
        try await fixture.submit("a")
        _ = try await fixture.claimOne()
        try await fixture.queue.cancel(type: Job.type, id: "a")
        try await clock.advance(.seconds(10))
        #expect(try await fixture.queue.reap(Job.type).cancelled == 1)
        #expect(try await fixture.state("a") == .cancelled)
        #expect(try await fixture.totals() == (0, 0, 0, 0))
    }

    @Test func `many reapers at once take every lost task back once`() async throws {
        let (fixture, clock) = try await settled()
        for number in 0..<50 { try await fixture.submit("\(number)") }
        #expect(try await fixture.claim(50).count == 50)
        try await clock.advance(.seconds(10))
        let taken = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 { group.addTask { try await fixture.queue.reap(Job.type).taken } }
            return try await group.reduce(0, +)
        }
        #expect(taken == 50)
        let again = try await fixture.claim(100).map(\.id)
        #expect(again.count == 50)
        #expect(Set(again) == Set((0..<50).map { TaskID("\($0)") }))
    }

    @Test func `after a restart of Redis all leases hold for one lease more`() async throws {
        let server = try RedisServer()
        let fixture = try await QueueFixture(clock: true, server: server)
        let clock = try #require(fixture.clock)
        _ = try await fixture.queue.reap(Job.type)
        try await clock.advance(.seconds(60))
        try await fixture.submit("a")
        let claim = try await fixture.claimOne()
        try server.restart()
        try await until("Redis is back") {
            (try? await clock.advance(.seconds(30))) != nil
        }
        // The lease is long over, but no worker had a chance to extend it.
        #expect(try await fixture.queue.reap(Job.type).taken == 0)
        try await clock.advance(.seconds(9))
        #expect(try await fixture.queue.reap(Job.type).taken == 0)
        #expect(try await fixture.queue.heartbeat(Job.type, [.init(id: "a", fence: claim.fence)]) == [.goOn])
        try await clock.advance(.seconds(2))
        #expect(try await fixture.queue.reap(Job.type).taken == 0)
        #expect(try await fixture.queue.complete(claim, result: []))
    }

    @Test func `a record deleted by hand does not stop the others`() async throws {
        let (fixture, clock) = try await settled()
        try await fixture.submit("gone")
        try await fixture.submit("left")
        _ = try await fixture.claim(2)
        _ = try await fixture.client.send(["DEL", fixture.key("task:gone")])
        try await clock.advance(.seconds(10))
        #expect(try await fixture.queue.reap(Job.type).taken == 1)
        #expect(try await fixture.claim(5).map(\.id) == ["left"])
    }
}
