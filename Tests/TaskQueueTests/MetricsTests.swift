import Domain
import Testing

@testable import TaskQueue

/// What the queue tells of what it has done.
@Suite struct MetricsTests {
    @Test func `what happened is counted, for ever and lately, with the times it took`() async throws {
        let fixture = try await QueueFixture(clock: true)
        let clock = try #require(fixture.clock)
        for name in ["a", "b", "c"] { try await fixture.submit(name, .high) }
        try await clock.advance(.milliseconds(150))
        let claims = try await fixture.claim(3)
        try await clock.advance(.milliseconds(4000))
        #expect(try await fixture.queue.complete(claims[0], result: []))
        #expect(try await fixture.queue.fail(claims[1], error: "e", mode: .retry(after: .seconds(1))))
        #expect(try await fixture.queue.fail(claims[2], error: "e", mode: .bury))
        try await clock.advance(.seconds(20))
        let metrics = try await fixture.queue.metrics(type: Job.type)
        #expect(metrics.total == QueueMetrics.Counts(submitted: 3, completed: 1, failed: 1, retried: 1))
        #expect(metrics.lastMinute == metrics.total)
        let waiting = try #require(metrics.waiting["high"])
        #expect(waiting.count == 3)
        #expect(waiting.sum == 0.45)
        #expect(waiting.quantile(0.5) == 0.2)
        let running = try #require(metrics.running["high"])
        #expect(running.count == 3)
        #expect(running.quantile(1) == 5)
        #expect(metrics.running["low"]?.count == 0)
        #expect(metrics.running["low"]?.quantile(0.5) == nil)
        try await clock.advance(.seconds(120))
        let later = try await fixture.queue.metrics(type: Job.type)
        #expect(later.lastMinute == QueueMetrics.Counts())
        #expect(later.lastTenMinutes == metrics.total)
    }

    @Test func `a worker tells of itself with its heartbeat, and is forgotten a minute later`() async throws {
        let fixture = try await QueueFixture(clock: true)
        let clock = try #require(fixture.clock)
        let report = WorkerReport(
            name: "w", places: 4, running: 1, completed: 7, failed: 2, busySeconds: 1.5, since: .now)
        _ = try await fixture.queue.heartbeat(Job.type, [], report: report)
        let found = try #require(try await fixture.queue.metrics(type: Job.type).workers.first)
        #expect((found.name, found.places, found.completed, found.failed) == ("w", 4, 7, 2))
        try await clock.advance(.seconds(61))
        #expect(try await fixture.queue.metrics(type: Job.type).workers.isEmpty)
    }

    @Test func `every run that did not succeed is remembered with its time, worker and error`() async throws {
        let fixture = try await QueueFixture(clock: true)
        let clock = try #require(fixture.clock)
        _ = try await fixture.queue.reap(Job.type)
        try await clock.advance(.seconds(60))
        try await fixture.submit("a")
        var claim = try #require(try await fixture.claim(worker: "first").first)
        #expect(try await fixture.queue.fail(claim, error: "no disk", mode: .retry(after: .zero)))
        _ = try #require(try await fixture.claim(worker: "second").first)
        try await clock.advance(.seconds(30))
        #expect(try await fixture.queue.reap(Job.type).taken == 1)
        claim = try #require(try await fixture.claim(worker: "third").first)
        #expect(try await fixture.queue.fail(claim, error: "a \"quote\"\nand 批改 of /var/lib/a.png", mode: .bury))
        let record = try await fixture.record("a")
        #expect(record.history.map(\.worker) == ["first", "second", "third"])
        #expect(record.history.map(\.attempt) == [1, 2, 2])
        #expect(
            record.history.map(\.error) == [
                "no disk", "The worker stopped answering, 1 time(s).", "a \"quote\" and 批改 of …/a.png",
            ])
        #expect(record.history.allSatisfy { $0.startedAt <= $0.endedAt })
        // A retry by hand keeps it; a result ends it.
        try await fixture.queue.retry(type: Job.type, id: "a")
        #expect(try await fixture.record("a").history.count == 3)
        #expect(try await fixture.queue.complete(try await fixture.claimOne(), result: []))
        #expect(try await fixture.record("a").history.isEmpty)
    }

    @Test func `the history of a task that fails without end stays bounded`() async throws {
        let fixture = try await QueueFixture(clock: true)
        try await fixture.submit("a")
        let text = String(repeating: "x", count: 900)
        for _ in 0..<60 {
            let claim = try await fixture.claimOne()
            #expect(try await fixture.queue.fail(claim, error: text, mode: .retry(after: .zero)))
        }
        let history = try await fixture.record("a").history
        #expect((10..<20).contains(history.count))
        #expect(history.last?.attempt == 60)
    }
}
