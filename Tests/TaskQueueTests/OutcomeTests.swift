import Domain
import Redis
import Testing

@testable import TaskQueue

@Suite struct OutcomeTests {
    @Test func `a completed task keeps its result for its time`() async throws {
        let fixture = try await QueueFixture(clock: true) { $0.resultTTL = .seconds(60) }
        try await fixture.submit("a")
        let claim = try await fixture.claimOne()
        #expect(try await fixture.queue.complete(claim, result: Array(#"{"answer":42}"#.utf8)))
        try await fixture.clock?.advance(.seconds(59))
        _ = try await fixture.queue.reap(Job.type)
        let record = try await fixture.record("a")
        #expect(record.state == .completed)
        #expect(record.result == .object(["answer": .integer(42)]))
        #expect(record.progress == 1)
        #expect(try await fixture.totals() == (0, 0, 0, 0))
        try await fixture.clock?.advance(.seconds(1))
        _ = try await fixture.queue.reap(Job.type)
        #expect(try await fixture.queue.task(type: Job.type, id: "a") == nil)
    }

    @Test func `a report is refused when the fence differs and accepted again when its reply was lost`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.submit("a")
        let old = try await fixture.claimOne()
        try await fixture.queue.release(Job.type, [old])
        let new = try await fixture.claimOne()
        #expect(new.fence > old.fence)
        #expect(try await !fixture.queue.complete(old, result: []))
        #expect(try await !fixture.queue.fail(old, error: "late", mode: .bury))
        try await fixture.queue.release(Job.type, [old])
        #expect(try await fixture.queue.heartbeat(Job.type, [.init(id: "a", fence: old.fence)]) == [.lost])
        #expect(try await fixture.state("a") == .running)
        #expect(try await fixture.queue.complete(new, result: []))
        #expect(try await fixture.queue.complete(new, result: []))
        #expect(try await fixture.totals() == (0, 0, 0, 0))
    }

    @Test func `a failed attempt is tried again after its delay`() async throws {
        let fixture = try await QueueFixture(clock: true)
        try await fixture.submit("a")
        let first = try await fixture.claimOne()
        #expect(try await fixture.queue.fail(first, error: "boom", mode: .retry(after: .seconds(3))))
        let waiting = try await fixture.record("a")
        #expect(waiting.state == .scheduled)
        #expect(waiting.error == "boom")
        #expect(waiting.dueAt == Timestamp(milliseconds: (fixture.clock?.milliseconds ?? 0) + 3000))
        #expect(try await fixture.totals() == (0, 1, 0, 0))
        try await fixture.clock?.advance(.seconds(3))
        let second = try await fixture.claimOne()
        #expect(second.attempt == 2)
        #expect(second.fence > first.fence)
    }

    @Test func `a dead task is kept, listed, retried afresh and purged`() async throws {
        let fixture = try await QueueFixture()
        for name in ["a", "b"] {
            try await fixture.submit(name)
            #expect(try await fixture.queue.fail(try await fixture.claimOne(), error: "broken", mode: .bury))
        }
        #expect(try await fixture.totals().dead == 2)
        let dead = try await fixture.queue.tasks(type: Job.type, state: .failed)
        #expect(dead.items.map(\.id).sorted { $0.rawValue < $1.rawValue } == ["a", "b"])
        #expect(dead.items.allSatisfy { $0.error == "broken" })
        try await fixture.queue.retry(type: Job.type, id: "a")
        await expect(.wrongState) { try await fixture.queue.retry(type: Job.type, id: "a") }
        await expect(.notFound) { try await fixture.queue.retry(type: Job.type, id: "none") }
        let claim = try await fixture.claimOne()
        #expect(claim.id == "a")
        #expect(claim.attempt == 1)
        #expect(try await fixture.queue.purgeDead(type: Job.type) == 1)
        #expect(try await fixture.queue.task(type: Job.type, id: "b") == nil)
        #expect(try await fixture.totals() == (0, 0, 1, 0))
    }

    @Test func `more dead tasks than allowed push out the oldest`() async throws {
        let fixture = try await QueueFixture(clock: true) { $0.maxDead = 2 }
        for name in ["a", "b", "c"] {
            try await fixture.submit(name)
            #expect(try await fixture.queue.fail(try await fixture.claimOne(), error: "broken", mode: .bury))
            try await fixture.clock?.advance(.seconds(1))
        }
        #expect(try await fixture.queue.tasks(type: Job.type, state: .failed).items.map(\.id) == ["c", "b"])
        #expect(try await fixture.totals().dead == 2)
    }

    @Test func `more finished tasks than allowed push out the oldest`() async throws {
        let fixture = try await QueueFixture(clock: true) { $0.maxFinished = 1 }
        for name in ["a", "b"] {
            try await fixture.submit(name)
            #expect(try await fixture.queue.complete(try await fixture.claimOne(), result: []))
            try await fixture.clock?.advance(.seconds(1))
        }
        #expect(try await fixture.queue.task(type: Job.type, id: "a") == nil)
        #expect(try await fixture.state("b") == .completed)
    }

    @Test func `a released task is the next of its list and has lost no attempt`() async throws {
        let fixture = try await QueueFixture()
        for name in ["a", "b", "c"] { try await fixture.submit(name) }
        let claims = try await fixture.claim(2)
        try await fixture.queue.release(Job.type, claims.reversed())
        let again = try await fixture.claim(3)
        #expect(again.map(\.id) == ["a", "b", "c"])
        #expect(again.map(\.attempt) == [1, 1, 1])
    }

    @Test func `whoever is first wins between cancellation and completion`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.submit("completes")
        let completes = try await fixture.claimOne()
        #expect(try await fixture.queue.cancel(type: Job.type, id: "completes") == .requested)
        #expect(try await fixture.record("completes").isCancelRequested)
        #expect(try await fixture.queue.complete(completes, result: []))
        #expect(try await fixture.state("completes") == .completed)
        await expect(.wrongState) { try await fixture.queue.cancel(type: Job.type, id: "completes") }

        try await fixture.submit("stops")
        let stops = try await fixture.claimOne()
        try await fixture.queue.cancel(type: Job.type, id: "stops")
        #expect(try await fixture.queue.heartbeat(Job.type, [.init(id: "stops", fence: stops.fence)]) == [.cancel])
        #expect(try await fixture.queue.fail(stops, error: "cancelled", mode: .cancelled))
        #expect(try await fixture.state("stops") == .cancelled)
        #expect(try await fixture.totals() == (0, 0, 0, 0))
        await expect(.notFound) { try await fixture.queue.cancel(type: Job.type, id: "none") }
    }

    @Test func `a cancelled task that fails is not tried again`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.submit("a")
        let claim = try await fixture.claimOne()
        try await fixture.queue.cancel(type: Job.type, id: "a")
        #expect(try await fixture.queue.fail(claim, error: "boom", mode: .retry(after: .zero)))
        #expect(try await fixture.state("a") == .cancelled)
    }
}
