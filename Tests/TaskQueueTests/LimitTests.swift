import Domain
import Testing

@testable import TaskQueue

/// Limits of what runs at the same time, of a type and of an exam.
@Suite(.timeLimit(.minutes(2))) struct LimitTests {
    private func submit(_ fixture: QueueFixture, _ names: [String], exam: ExamID) async throws {
        for name in names {
            _ = try await fixture.queue.submit(
                Job(name: name), priority: .normal, examID: exam, context: QueueFixture.context)
        }
    }

    @Test func `no more tasks run than the queue's limit, and the next begins when one has ended`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.queue.setLimits(QueueLimits(running: 2), type: Job.type)
        try await submit(fixture, ["a", "b", "c"], exam: "one")
        let claims = try await fixture.claim(5)
        #expect(claims.map(\.id) == ["a", "b"])
        #expect(try await fixture.claim(5).isEmpty)
        #expect(try await fixture.queue.complete(claims[0], result: []))
        #expect(try await fixture.claim(5).map(\.id) == ["c"])
    }

    @Test func `a huge exam leaves places to others, and its tasks keep their order`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.queue.setLimits(QueueLimits(runningPerExam: 2), type: Job.type)
        try await submit(fixture, (0..<6).map { "huge-\($0)" }, exam: "huge")
        try await submit(fixture, ["small"], exam: "small")
        let claims = try await fixture.claim(10)
        #expect(claims.map(\.id) == ["huge-0", "huge-1", "small"])
        #expect(try await fixture.totals().ready == 4)
        #expect(try await fixture.queue.tasks(type: Job.type, state: .ready).items.count == 4)
        #expect(try await fixture.queue.complete(claims[0], result: []))
        #expect(try await fixture.claim(10).map(\.id) == ["huge-2"])
        try await fixture.queue.release(Job.type, [claims[1]])
        #expect(try await fixture.claim(10).map(\.id) == ["huge-1"])
        #expect(try await fixture.totals() == (3, 0, 3, 0))
    }

    @Test func `tasks that were held back go on when the limit is lifted or their exam's run is lost`() async throws {
        let fixture = try await QueueFixture(clock: true)
        let clock = try #require(fixture.clock)
        _ = try await fixture.queue.reap(Job.type)
        try await clock.advance(.seconds(60))
        try await fixture.queue.setLimits(QueueLimits(runningPerExam: 1), type: Job.type)
        try await submit(fixture, ["a", "b", "c"], exam: "one")
        #expect(try await fixture.claim(10).map(\.id) == ["a"])
        try await clock.advance(.seconds(20))
        #expect(try await fixture.queue.reap(Job.type).taken == 1)
        #expect(try await fixture.claim(10).map(\.id) == ["a"])
        try await fixture.queue.setLimits(QueueLimits(), type: Job.type)
        #expect(try await fixture.claim(10).map(\.id) == ["b", "c"])
        #expect(try await fixture.queue.limits(type: Job.type) == QueueLimits())
    }

    @Test func `a task cancelled while it is held back does not hold up those behind it`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.queue.setLimits(QueueLimits(runningPerExam: 1), type: Job.type)
        try await submit(fixture, ["a", "b", "c"], exam: "one")
        let claim = try await fixture.claimOne()
        #expect(try await fixture.claim(10).isEmpty)
        try await fixture.queue.cancel(type: Job.type, id: "b")
        #expect(try await fixture.totals().ready == 1)
        #expect(try await fixture.queue.complete(claim, result: []))
        #expect(try await fixture.claim(10).map(\.id) == ["c"])
        // Cancelled and retried, it waits behind nothing any more.
        try await fixture.queue.retry(type: Job.type, id: "b")
        #expect(try await fixture.claim(10).isEmpty)
        try await fixture.queue.setLimits(QueueLimits(runningPerExam: 2), type: Job.type)
        #expect(try await fixture.claim(10).map(\.id) == ["b"])
        #expect(try await fixture.totals().ready == 0)
    }

    @Test func `a hundred tasks of one exam are all done under its limit, by workers that wait`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.queue.setLimits(QueueLimits(running: 3, runningPerExam: 1), type: Job.type)
        try await submit(fixture, (0..<50).map { "a-\($0)" }, exam: "a")
        try await submit(fixture, (0..<50).map { "b-\($0)" }, exam: "b")
        let greatest = GreatestPerExam()
        let worker = fixture.worker([CountingJobHandler(greatest: greatest)], maxWorkers: 8)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await worker.run() }
            try await until("all are done") { try await fixture.totals() == (0, 0, 0, 0) }
            group.cancelAll()
        }
        #expect(greatest.done == 100)
        #expect(greatest.most == 1)
    }

    @Test(arguments: [QueueLimits(running: 0), QueueLimits(runningPerExam: -1)])
    func `a limit below one is refused`(limits: QueueLimits) async throws {
        let fixture = try await QueueFixture()
        await #expect(throws: TaskQueueError.self) { try await fixture.queue.setLimits(limits, type: Job.type) }
    }
}
