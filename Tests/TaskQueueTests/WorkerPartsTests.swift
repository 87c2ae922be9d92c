import Domain
import Redis
import Testing

@testable import TaskQueue

@Suite struct WorkerPartsTests {
    @Test func `free places are shared evenly among those that wait`() async throws {
        let slots = WorkerSlots(count: 4)
        #expect(slots.tryAcquire(upTo: 10) == 4)
        #expect(slots.tryAcquire(upTo: 1) == 0)
        async let first = slots.acquire(upTo: 10)
        async let second = slots.acquire(upTo: 10)
        try await until("both wait") { slots.waiting == 2 }
        slots.release(4)
        let shares = await [first, second]
        #expect(shares == [2, 2])
        slots.release(4)
        #expect(slots.tryAcquire(upTo: 3) == 3)
        #expect(await slots.acquire(upTo: 3) == 1)
    }

    @Test func `who is cancelled while waiting gets no place and takes none`() async throws {
        let slots = WorkerSlots(count: 1)
        #expect(slots.tryAcquire(upTo: 1) == 1)
        let waiter = Task { await slots.acquire(upTo: 1) }
        try await until("it waits") { slots.waiting == 1 }
        waiter.cancel()
        #expect(await waiter.value == 0)
        slots.release(1)
        #expect(slots.tryAcquire(upTo: 1) == 1)
    }

    @Test func `pauses follow the list, the last one for ever, within the jitter`() {
        let policy = RetryPolicy(delays: [.seconds(1), .seconds(2), .seconds(5)], jitter: 0.25)
        var generator = SystemRandomNumberGenerator()
        for (attempt, seconds) in [(1, 1.0), (2, 2), (3, 5), (4, 5), (1000, 5)] {
            for _ in 0..<50 {
                let delay = policy.delay(afterAttempt: attempt, using: &generator)
                #expect(delay >= .seconds(seconds * 0.75) && delay <= .seconds(seconds * 1.25))
            }
        }
        #expect(RetryPolicy(delays: [], jitter: 0).delay(afterAttempt: 1, using: &generator) == .zero)
    }

    private func runningTask() async throws -> (RunningTask, ContinuousClock.Instant) {
        let fixture = try await QueueFixture()
        try await fixture.submit("a")
        let now = ContinuousClock.now
        return (RunningTask(try await fixture.claimOne(), deadline: now + .seconds(10)), now)
    }

    @Test func `a run stops for one reason, but a lost lease outweighs any`() async throws {
        let (task, now) = try await runningTask()
        #expect(!task.isOverdue(at: now))
        #expect(task.isOverdue(at: now + .seconds(10)))
        #expect(task.stop(.timedOut, at: now))
        #expect(!task.isOverdue(at: now + .seconds(10)))
        #expect(!task.stop(.cancelled, at: now))
        #expect(task.stopReason == .timedOut)
        #expect(task.stop(.lost, at: now))
        #expect(!task.stop(.lost, at: now))
        #expect(task.stopReason == .lost)
        #expect(!task.isDeaf(at: now + .seconds(1), grace: .seconds(2)))
        #expect(task.isDeaf(at: now + .seconds(2), grace: .seconds(2)))
    }

    @Test func `the end of a run is reported by one only, and nothing stops it then`() async throws {
        let (task, now) = try await runningTask()
        #expect(task.beginReport())
        #expect(!task.beginReport())
        #expect(!task.stop(.lost, at: now))
        #expect(!task.isOverdue(at: now + .seconds(100)))
    }

    @Test func `progress that comes fast travels with the next heartbeat, in range`() async throws {
        let (task, now) = try await runningTask()
        let second = Duration.seconds(1)
        #expect(task.note(progress: 0.1, "a", at: now, every: second))
        #expect(!task.note(progress: 7, "b", at: now + .milliseconds(999), every: second))
        let beat = task.beat()
        #expect(beat.progress?.fraction == 1)
        #expect(beat.progress?.message == "b")
        #expect(task.beat().progress == nil)
        #expect(task.note(progress: 0.3, "c", at: now + second, every: second))
    }

    @Test func `the defaults are valid and wrong values are named`() throws {
        try TaskQueueConfiguration().validate()
        var configuration = TaskQueueConfiguration()
        configuration.retryDelays = []
        #expect(throws: TaskQueueError.self) { try configuration.validate() }
    }

    @Test(arguments: [
        "null", "true", "-7", "1.5", #""text""#, "[1,[2]]", #"{"a":{"b":null}}"#,
    ])
    func `any JSON comes back as it was`(text: String) throws {
        #expect(try JSON.string(try JSON.decode(JSONValue.self, from: text)) == text)
    }
}
