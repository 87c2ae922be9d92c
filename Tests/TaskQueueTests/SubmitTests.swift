import Domain
import Redis
import Testing

@testable import TaskQueue

@Suite struct SubmitTests {
    @Test func `the same work submitted again is not added again, in whatever state it is`() async throws {
        let fixture = try await QueueFixture()
        #expect(try await fixture.submit("a") == .created("a"))
        #expect(try await fixture.submit("a") == .existing("a"))
        let claim = try await fixture.claimOne()
        #expect(try await fixture.submit("a") == .existing("a"))
        #expect(try await fixture.queue.complete(claim, result: Array("{}".utf8)))
        #expect(try await fixture.submit("a") == .existing("a"))
        #expect(try await fixture.claim().isEmpty)
    }

    @Test func `a task carries its payload, exam and context to the worker`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.submit("a", .high)
        let claim = try await fixture.claimOne()
        #expect(try JSON.decode(Job.self, from: claim.payload) == Job(name: "a"))
        #expect(claim.origin.examID == "exam")
        #expect(claim.priority == .high)
        #expect(claim.attempt == 1)
        let context = TaskContext(
            claim: claim, maxAttempts: 4, worker: "worker", report: { _, _ in }, submitChildren: { _ in [] }
        ).eventContext(source: "/worker")
        #expect(
            context
                == EventContext(
                    source: "/worker", correlationID: "correlation", causationID: "a", actor: "someone",
                    traceparent: "trace"))
    }

    @Test func `a unique key is held until its task has ended`() async throws {
        let fixture = try await QueueFixture()
        var first = try TaskDraft(Job(name: "first"), examID: nil, context: QueueFixture.context)
        first.uniqueKey = "key"
        var second = try TaskDraft(Job(name: "second"), examID: nil, context: QueueFixture.context)
        second.uniqueKey = "key"
        #expect(try await fixture.queue.submit(raw: first) == .created("first"))
        #expect(try await fixture.queue.submit(raw: second) == .existing("first"))
        #expect(try await fixture.queue.complete(try await fixture.claimOne(), result: []))
        #expect(try await fixture.queue.submit(raw: second) == .created("second"))
    }

    @Test func `a full queue refuses tasks but knows those it has`() async throws {
        let fixture = try await QueueFixture { $0.maxLength = 2 }
        try await fixture.submit("a")
        try await fixture.submit("b", delay: .seconds(60))
        await expect(.queueFull) { try await fixture.submit("c") }
        #expect(try await fixture.submit("a") == .existing("a"))
        _ = try await fixture.claimOne()
        #expect(try await fixture.submit("c") == .created("c"))
    }

    @Test func `a payload beyond the limit and malformed names are refused before Redis sees them`() async throws {
        let fixture = try await QueueFixture { $0.maxPayloadBytes = 20 }
        await expect(.payloadTooLarge) { try await fixture.submit(String(repeating: "x", count: 40)) }
        await expect(.invalid) { try await fixture.submit("no spaces") }
        await expect(.invalid) {
            _ = try TaskDraft(type: "t", json: Array("{".utf8), context: QueueFixture.context)
        }
        await expect(.invalid) {
            let draft = try TaskDraft(type: "a b", json: Array("{}".utf8), context: QueueFixture.context)
            _ = try await fixture.queue.submit(raw: draft)
        }
        #expect(try await fixture.totals() == (0, 0, 0, 0))
    }

    @Test func `a batch answers for each task in order, across types and beyond one script call`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.submit("7")
        let drafts = try (0..<250).map { number in
            try TaskDraft(
                type: number % 5 == 0 ? "other" : "job", id: TaskID("\(number)"), json: Array("{}".utf8),
                context: QueueFixture.context)
        }
        let submissions = try await fixture.queue.submit(batch: drafts)
        #expect(submissions.map(\.taskID) == drafts.map(\.id))
        #expect(submissions.filter { !$0.isNew } == [.existing("7")])
        #expect(try await fixture.totals().ready == 200)
        #expect(try await fixture.queue.claim("other", count: 100, worker: "w").tasks.count == 50)
        #expect(try await fixture.queue.submit(batch: []).isEmpty)
    }

    @Test func `a delayed task is claimed when its time has come and not before`() async throws {
        let fixture = try await QueueFixture(clock: true)
        try await fixture.submit("later", delay: .seconds(5))
        let early = try await fixture.queue.claim(Job.type, count: 1, worker: "w")
        #expect(early.tasks.isEmpty)
        #expect(early.nextDue == .seconds(5))
        #expect(try await fixture.state("later") == .scheduled)
        try await fixture.clock?.advance(.seconds(5))
        #expect(try await fixture.claimOne().id == "later")
    }

    @Test func `ten thousand tasks due at once are all claimed once`() async throws {
        let fixture = try await QueueFixture(clock: true)
        let drafts = try (0..<10_000).map {
            try TaskDraft(Job(name: "\($0)"), examID: nil, context: QueueFixture.context, delay: .seconds(1))
        }
        _ = try await fixture.queue.submit(batch: drafts)
        try await fixture.clock?.advance(.seconds(1))
        var seen: Set<TaskID> = []
        while case let claims = try await fixture.claim(64), !claims.isEmpty {
            for claim in claims { #expect(seen.insert(claim.id).inserted) }
        }
        #expect(seen.count == 10_000)
    }
}
