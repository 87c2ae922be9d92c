import Domain
import Redis
import Testing

@testable import TaskQueue

@Suite struct ClaimTests {
    @Test func `high comes first, and within a priority the oldest`() async throws {
        let fixture = try await QueueFixture()
        for (name, priority) in [("l", TaskPriority.low), ("n", .normal), ("h1", .high), ("h2", .high)] {
            try await fixture.submit(name, priority)
        }
        #expect(try await fixture.claim(4).map(\.id) == ["h1", "h2", "n", "l"])
    }

    @Test func `of 960 claims with all lists full, 840 are high, 90 normal and 30 low`() async throws {
        let fixture = try await QueueFixture()
        for priority in TaskPriority.allCases {
            _ = try await fixture.queue.submit(
                batch: (0..<1000).map {
                    try TaskDraft(
                        Job(name: "\(priority):\($0)"), priority: priority, examID: nil, context: QueueFixture.context)
                })
        }
        var counts: [TaskPriority: Int] = [:]
        for _ in 0..<60 {
            for claim in try await fixture.claim(16) { counts[claim.priority, default: 0] += 1 }
        }
        #expect(counts == [.high: 840, .normal: 90, .low: 30])
    }

    @Test func `fences grow, also when Redis forgets the last of them`() async throws {
        let fixture = try await QueueFixture()
        for name in ["a", "b", "c"] { try await fixture.submit(name) }
        let first = try await fixture.claim(2).map(\.fence)
        #expect(first[0] < first[1])
        _ = try await fixture.client.send(["HDEL", fixture.key("control"), "fence"])
        #expect(try await fixture.claimOne().fence > first[1])
    }

    @Test func `a paused queue gives nothing out until it is resumed`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.submit("a")
        #expect(try await fixture.queue.pause(type: Job.type))
        #expect(try await !fixture.queue.pause(type: Job.type))
        #expect(try await fixture.claim().isEmpty)
        #expect(try await fixture.queue.statistics(type: Job.type).allSatisfy(\.isPaused))
        #expect(try await fixture.queue.resume(type: Job.type))
        #expect(try await fixture.claimOne().id == "a")
    }

    @Test func `a cancelled task is skipped and counted out of its list`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.submit("a")
        try await fixture.submit("b")
        #expect(try await fixture.queue.cancel(type: Job.type, id: "a") == .cancelled)
        #expect(try await fixture.totals().ready == 1)
        #expect(try await fixture.claim(5).map(\.id) == ["b"])
        #expect(try await fixture.totals() == (0, 0, 1, 0))
        #expect(try await fixture.state("a") == .cancelled)
    }

    @Test func `a task cancelled while it waits and retried runs once`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.submit("a")
        try await fixture.queue.cancel(type: Job.type, id: "a")
        try await fixture.queue.retry(type: Job.type, id: "a")
        #expect(try await fixture.totals().ready == 1)
        #expect(try await fixture.claim(5).map(\.id) == ["a"])
        #expect(try await fixture.client.send(["PTTL", fixture.key("task:a")]).int == -1)
    }

    @Test func `the bell rings for a new task, and again while more wait than were claimed`() async throws {
        let fixture = try await QueueFixture()
        func isRinging() async throws -> Bool {
            try await fixture.client.send(["ZPOPMIN", fixture.key("wake")]).array?.isEmpty == false
        }
        #expect(try await !isRinging())
        try await fixture.submit("a")
        #expect(try await isRinging())
        try await fixture.submit("b")
        #expect(try await isRinging())
        #expect(try await fixture.claim(1).count == 1)
        #expect(try await isRinging())
        #expect(try await fixture.claim(2).count == 1)
        #expect(try await !isRinging())
    }
}
