import Domain
import Redis
import Testing

@testable import TaskQueue

/// Work of another type, which is what children usually are.
struct Part: TaskPayload, Equatable {
    static let type: TaskType = "part"
    static let defaultPriority = TaskPriority.normal
    var name: String
    var taskID: TaskID { TaskID(name) }
}

struct PartHandler: TaskHandler {
    var body: @Sendable (Part, TaskContext) async throws -> Void

    func run(_ part: Part, context: TaskContext) async throws -> TaskResult {
        try await body(part, context)
        return .none
    }
}

@Suite struct ChildrenTests {
    static func drafts(_ names: [String]) throws -> [TaskDraft] {
        try names.map { try TaskDraft(Part(name: $0), examID: "exam", context: QueueFixture.context) }
    }

    /// A parent whose own part is done.
    private func parent(_ fixture: QueueFixture, of names: [String]) async throws -> TaskClaim {
        try await fixture.submit("parent")
        let claim = try await fixture.claimOne()
        #expect(try await fixture.queue.submit(children: Self.drafts(names), of: claim).count == names.count)
        #expect(try await fixture.queue.complete(claim, result: Array("7".utf8)))
        return claim
    }

    private func parts(_ fixture: QueueFixture, _ count: Int = 1) async throws -> [TaskClaim] {
        try await fixture.queue.claim(Part.type, count: count, worker: "worker").tasks
    }

    private func end(_ claim: TaskClaim, _ fixture: QueueFixture, failing isFailed: Bool = false) async throws {
        if isFailed {
            #expect(try await fixture.queue.fail(claim, error: "no good", mode: .bury))
        } else {
            #expect(try await fixture.queue.complete(claim, result: []))
        }
        try await fixture.queue.carry(Part.type)
    }

    @Test func `a parent waits for its children and completes with the last of them`() async throws {
        let fixture = try await QueueFixture()
        _ = try await parent(fixture, of: ["a", "b", "c"])
        for done in 0..<3 {
            let record = try await fixture.record("parent")
            #expect(record.state == .waiting)
            #expect(record.children == TaskChildren(total: 3, open: 3 - done, failed: 0, cancelled: 0))
            #expect(record.progress == Double(done) / 3)
            #expect(record.message == "\(done) of 3")
            #expect(try await fixture.queue.statistics(type: Job.type).map(\.waiting) == [0, 1, 0])
            #expect(try await fixture.queue.tasks(type: Job.type, state: .waiting).items.map(\.id) == ["parent"])
            try await end(#require(try await parts(fixture).first), fixture)
        }
        let record = try await fixture.record("parent")
        #expect(record.state == .completed)
        #expect(record.result == .integer(7))
        #expect(record.progress == 1)
        #expect(try await fixture.queue.statistics(type: Job.type).map(\.waiting) == [0, 0, 0])
    }

    @Test func `children that end before their parent's own part do not hold it up`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.submit("parent")
        let claim = try await fixture.claimOne()
        _ = try await fixture.queue.submit(children: Self.drafts(["a", "b"]), of: claim)
        for part in try await parts(fixture, 2) { try await end(part, fixture) }
        #expect(try await fixture.state("parent") == .running)
        #expect(try await fixture.queue.complete(claim, result: []))
        #expect(try await fixture.state("parent") == .completed)
    }

    @Test func `a parent fails with a child, and completes when that is retried by itself`() async throws {
        let fixture = try await QueueFixture()
        _ = try await parent(fixture, of: ["a", "b"])
        let claims = try await parts(fixture, 2)
        try await end(claims[0], fixture, failing: true)
        #expect(try await fixture.state("parent") == .waiting)
        try await end(claims[1], fixture)
        let record = try await fixture.record("parent")
        #expect(record.state == .failed)
        #expect(record.error == "Of 2 children 1 failed and 0 were cancelled.")
        #expect(record.payload != nil)
        try await fixture.queue.retry(type: Part.type, id: claims[0].id)
        try await end(#require(try await parts(fixture).first), fixture)
        #expect(try await fixture.state("parent") == .completed)
        #expect(try await fixture.record("parent").error == nil)
        #expect(try await fixture.totals() == (0, 0, 0, 0))
    }

    @Test func `a failed parent is retried by retrying those of its children that did not complete`() async throws {
        let fixture = try await QueueFixture()
        _ = try await parent(fixture, of: ["a", "b", "c", "d"])
        let claims = try await parts(fixture, 4)
        try await end(claims[0], fixture, failing: true)
        try await end(claims[1], fixture)
        try await end(claims[2], fixture, failing: true)
        #expect(try await fixture.queue.fail(claims[3], error: "", mode: .cancelled))
        try await fixture.queue.carry(Part.type)
        #expect(try await fixture.record("parent").error == "Of 4 children 2 failed and 1 were cancelled.")
        // One of them can never run again.
        #expect(try await fixture.queue.purgeDead(type: Part.type, id: claims[2].id) == 1)

        try await fixture.queue.retry(type: Job.type, id: "parent")
        #expect(try await fixture.state("parent") == .waiting)
        #expect(
            try await fixture.record("parent").children == TaskChildren(total: 4, open: 2, failed: 1, cancelled: 0))
        for part in try await parts(fixture, 4) { try await end(part, fixture) }
        #expect(try await fixture.record("parent").error == "Of 4 children 1 failed and 0 were cancelled.")
        #expect(try await fixture.totals() == (0, 0, 0, 1))
    }

    @Test func `cancelling a parent cancels its children, and retrying it lets them go on`() async throws {
        let fixture = try await QueueFixture()
        _ = try await parent(fixture, of: ["a", "b", "c"])
        let running = try #require(try await parts(fixture).first)
        #expect(try await fixture.queue.cancel(type: Job.type, id: "parent") == .cancelled)
        #expect(try await fixture.state("parent") == .cancelled)
        let beat = TaskQueue.Beat(id: running.id, fence: running.fence)
        #expect(try await fixture.queue.heartbeat(Part.type, [beat]) == [.cancel])
        #expect(try await parts(fixture, 3).isEmpty)
        #expect(try await fixture.queue.fail(running, error: "", mode: .cancelled))

        try await fixture.queue.retry(type: Job.type, id: "parent")
        let again = try await parts(fixture, 4)
        #expect(Set(again.map(\.id.rawValue)) == ["a", "b", "c"])
        for part in again { try await end(part, fixture) }
        #expect(try await fixture.state("parent") == .completed)
    }

    @Test func `a run that begins anew finds the children of the one before`() async throws {
        let fixture = try await QueueFixture()
        try await fixture.submit("parent")
        let first = try await fixture.claimOne()
        _ = try await fixture.queue.submit(children: Self.drafts(["a", "b"]), of: first)
        try await end(#require(try await parts(fixture).first), fixture)
        try await fixture.queue.release(Job.type, [first])
        let second = try await fixture.claimOne()
        await expect(.leaseLost) {
            _ = try await fixture.queue.submit(children: try Self.drafts(["z"]), of: first)
        }
        let again = try await fixture.queue.submit(children: Self.drafts(["a", "b", "c"]), of: second)
        #expect(again.map(\.isNew) == [false, false, true])
        #expect(try await fixture.queue.complete(second, result: []))
        #expect(
            try await fixture.record("parent").children == TaskChildren(total: 3, open: 2, failed: 0, cancelled: 0))
        for part in try await parts(fixture, 3) { try await end(part, fixture) }
        #expect(try await fixture.state("parent") == .completed)
    }

    @Test func `one task can be the child of several, even when it has ended before`() async throws {
        let fixture = try await QueueFixture()
        for name in ["one", "two", "late"] { try await fixture.submit(name) }
        let claims = try await fixture.claim(3)
        for claim in claims.prefix(2) {
            _ = try await fixture.queue.submit(children: Self.drafts(["a"]), of: claim)
            #expect(try await fixture.queue.complete(claim, result: []))
        }
        try await end(#require(try await parts(fixture).first), fixture)
        #expect(try await fixture.state("one") == .completed)
        #expect(try await fixture.state("two") == .completed)
        _ = try await fixture.queue.submit(children: Self.drafts(["a"]), of: claims[2])
        #expect(try await fixture.queue.complete(claims[2], result: []))
        try await fixture.queue.carry(Part.type)
        #expect(try await fixture.state("late") == .completed)
    }

    @Test func `a child that vanished counts as failed`() async throws {
        let fixture = try await QueueFixture()
        _ = try await parent(fixture, of: ["a", "b"])
        let claims = try await parts(fixture, 2)
        // Ends without a word, as after a server lost its last second.
        #expect(try await fixture.queue.complete(claims[0], result: []))
        _ = try await fixture.client.send(["DEL", fixture.queue.keys.queue("part", "outbox")])
        _ = try await fixture.client.send(["DEL", fixture.queue.keys.queue("part", "task:b")])
        try await fixture.queue.checkWaiting(Job.type)
        #expect(try await fixture.state("parent") == .waiting)
        try await fixture.queue.checkWaiting(Job.type, age: .zero)
        #expect(try await fixture.record("parent").error == "Of 2 children 1 failed and 0 were cancelled.")
    }

    @Test func `workers end parents of several levels, and their handlers are told nothing twice`() async throws {
        let fixture = try await QueueFixture()
        let journal = Journal()
        let jobs = JobHandler { job, context in
            journal.note(job.name)
            switch job.name {
            case "root":
                let children = try (0..<3).map {
                    try TaskDraft(Job(name: "branch-\($0)"), examID: "exam", context: QueueFixture.context)
                }
                try await context.submitChildren(children)
            default:
                try await context.submitChildren(try Self.drafts((0..<40).map { "\(job.name)-\($0)" }))
            }
            return try TaskResult(job.name)
        }
        let parts = PartHandler { part, _ in journal.note(part.name) }
        let workers = [
            fixture.worker([jobs, parts], maxWorkers: 4, name: "one"),
            fixture.worker([jobs, parts], maxWorkers: 4, name: "two"),
        ]
        try await fixture.submit("root")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in workers { group.addTask { try await worker.run() } }
            try await until("the root has ended") { try await fixture.state("root") == .completed }
            group.cancelAll()
        }
        #expect(journal.all.count == 1 + 3 + 120)
        #expect(Set(journal.all).count == journal.all.count)
        #expect(try await fixture.record("root").result == .string("root"))
    }

    /// Words are lost, repeated and late; parents and children end in any order, fail, are cancelled and retried.
    @Test(arguments: 1...10)
    func `a parent ends once, and as its children did, whatever happens to the words`(seed: UInt64) async throws {
        let fixture = try await QueueFixture()
        var random = SplitMix(state: seed)
        let names = (0..<12).map { "c\($0)" }
        try await fixture.submit("parent")
        var claims: [TaskClaim] = []
        for step in 0..<250 {
            let child = TaskID(names.randomElement(using: &random) ?? "")
            switch Int.random(in: 0..<12, using: &random) {
            case 0...2:
                claims += try await fixture.claim() + parts(fixture, Int.random(in: 1...4, using: &random))
            case 3...5:
                guard let claim = claims.randomElement(using: &random) else { continue }
                if claim.type == Job.type {
                    let some = names.filter { _ in Bool.random(using: &random) }
                    _ = try? await fixture.queue.submit(children: Self.drafts(some), of: claim)
                } else if Int.random(in: 0..<4, using: &random) == 0 {
                    _ = try await fixture.queue.fail(claim, error: "e", mode: .bury)
                } else {
                    _ = try await fixture.queue.complete(claim, result: [])
                }
            case 6:
                guard let claim = claims.last(where: { $0.type == Job.type }) else { continue }
                _ = try? await fixture.queue.submit(children: Self.drafts(names), of: claim)
                _ = try await fixture.queue.complete(claim, result: [])
            case 7: try await repeatWords(fixture, &random)
            case 8: _ = try? await fixture.queue.retry(type: Part.type, id: child)
            case 9:
                _ = try? await fixture.queue.cancel(type: Part.type, id: child, carrying: Bool.random(using: &random))
            case 10: _ = try? await fixture.queue.retry(type: Job.type, id: "parent")
            default:
                if Int.random(in: 0..<6, using: &random) == 0 {
                    _ = try? await fixture.queue.cancel(type: Job.type, id: "parent", carrying: false)
                } else {
                    try await fixture.queue.carry(Part.type)
                }
            }
            try await check(fixture, "seed \(seed), step \(step)")
        }
        // In the end all are let run.
        _ = try? await fixture.queue.retry(type: Job.type, id: "parent")
        for _ in 0..<4 {
            for type in [Job.type, Part.type] { try await fixture.queue.carry(type) }
            for claim in claims where claim.type == Job.type {
                _ = try? await fixture.queue.submit(children: Self.drafts(names), of: claim)
            }
            for name in names { _ = try? await fixture.queue.retry(type: Part.type, id: TaskID(name)) }
            claims += try await fixture.claim() + parts(fixture, 20)
            for claim in claims { _ = try await fixture.queue.complete(claim, result: []) }
        }
        for type in [Part.type, Job.type] { try await fixture.queue.carry(type) }
        let parent = try await fixture.record("parent")
        #expect(parent.state == .completed, "seed \(seed): \(parent)")
        #expect(parent.children?.open == 0)
    }

    /// Delivers a part of the words without taking them away, as a worker that dies in the middle does.
    private func repeatWords(_ fixture: QueueFixture, _ random: inout SplitMix) async throws {
        let outbox = fixture.queue.keys.queue("part", "outbox")
        for entry in try await fixture.client.send(["XRANGE", outbox, "-", "+"]).array ?? [] {
            let fields = entry.array?[1].fields ?? []
            func text(_ name: String) -> String { fields.first { $0.name == name }?.value.string ?? "" }
            guard text("kind") == "ended", Bool.random(using: &random) else { continue }
            _ = try await fixture.queue.fanIn(
                Job.type, [("parent", "part/\(text("child"))", TaskState(rawValue: text("state")))])
        }
    }

    /// What is counted is what is there, and a parent waits exactly as long as a child is open.
    private func check(_ fixture: QueueFixture, _ comment: Comment) async throws {
        let record = try await fixture.record("parent")
        let states = try await fixture.client.send(["HVALS", fixture.key("children:parent")]).array ?? []
        func count(_ state: String) -> Int { states.count { $0.string == state } }
        if let children = record.children {
            try #require(children.open == count(""), comment)
            try #require(children.failed == count("failed"), comment)
            try #require(children.cancelled == count("cancelled"), comment)
        }
        if record.state == .waiting { try #require(count("") > 0, comment) }
        if record.state == .completed { try #require(count("completed") == states.count, comment) }
        let waiting = try await fixture.queue.statistics(type: Job.type).reduce(0) { $0 + $1.waiting }
        try #require(waiting == (record.state == .waiting ? 1 : 0), comment)
        try #require(try await fixture.client.send(["ZCARD", fixture.key("waiting")]).int == waiting, comment)
    }
}
