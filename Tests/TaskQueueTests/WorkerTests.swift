import Domain
import Logging
import Redis
import ServiceLifecycle
import TestSupport
import Testing

@testable import TaskQueue

@Suite struct WorkerTests {
    private static func quick(_ configuration: inout TaskQueueConfiguration) {
        configuration.lease = .milliseconds(600)
        configuration.reapInterval = .milliseconds(50)
        configuration.retryDelays = [.milliseconds(5)]
        configuration.stopGrace = .milliseconds(200)
        configuration.drainGrace = .seconds(5)
    }

    /// Runs workers while `body` runs, then stops them as an operator would.
    private func running<R>(_ workers: [TaskWorker], _ body: () async throws -> R) async throws -> R {
        let group = ServiceGroup(
            services: workers, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        async let run: Void = group.run()
        let result: Result<R, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        await group.triggerGracefulShutdown()
        try await run
        return try result.get()
    }

    @Test func `a task is run and its result kept`() async throws {
        let fixture = try await QueueFixture(configure: Self.quick)
        let worker = fixture.worker(
            [
                JobHandler { job, context in
                    #expect(context.attempt == 1)
                    #expect(!context.isLastAttempt)
                    return try TaskResult(["hello": job.name])
                }
            ], name: "replica-1")
        try await running([worker]) {
            try await fixture.submit("a")
            try await until("the task is done") { try await fixture.state("a") == .completed }
        }
        let record = try await fixture.record("a")
        #expect(record.result == .object(["hello": .string("a")]))
        #expect(record.worker == "replica-1")
    }

    @Test func `a thousand tasks are each done once by three workers`() async throws {
        let fixture = try await QueueFixture()
        let journal = Journal()
        let workers = (0..<3).map { number in
            fixture.worker(
                [
                    JobHandler { job, _ in
                        journal.note(job.name)
                        return .none
                    }
                ], maxWorkers: 4, name: "replica-\(number)")
        }
        try await running(workers) {
            for start in stride(from: 0, to: 1000, by: 100) {
                _ = try await fixture.queue.submit(
                    batch: (start..<start + 100).map {
                        try TaskDraft(Job(name: "\($0)"), examID: nil, context: QueueFixture.context)
                    })
            }
            try await until("all are done") { journal.all.count >= 1000 }
            try await until("all are reported") { try await fixture.totals() == (0, 0, 0, 0) }
        }
        #expect(journal.all.count == 1000)
        #expect(Set(journal.all).count == 1000)
        #expect(try await fixture.client.send(["HGET", fixture.key("stats"), "completed"]).int == 1000)
    }

    @Test func `a task that keeps failing is tried as often as allowed, its handler told, then dead`() async throws {
        let fixture = try await QueueFixture(configure: Self.quick)
        let journal = Journal()
        let worker = fixture.worker([
            JobHandler { _, context in
                journal.note("run \(context.attempt)\(context.isLastAttempt ? " last" : "")")
                throw TaskFailure(retryable: true, message: "no luck")
            } finally: { job, failure, context in
                let state = try await fixture.state(job.name)
                journal.note("finally \(failure.message) \(state)")
            }
        ])
        try await running([worker]) {
            try await fixture.submit("a")
            try await until("the task is dead") { try await fixture.state("a") == .failed }
        }
        #expect(journal.all == ["run 1", "run 2", "run 3", "run 4 last", "finally no luck running"])
        #expect(try await fixture.record("a").error == "no luck")
    }

    @Test func `a run that failed because Redis did is no attempt, up to a bound`() async throws {
        let fixture = try await QueueFixture { configuration in
            Self.quick(&configuration)
            configuration.maxRetries = 1
        }
        let journal = Journal()
        let worker = fixture.worker([
            JobHandler { job, context in
                journal.note("\(job.name) \(context.attempt)")
                let runs = journal.all.count { $0.hasPrefix("\(job.name) ") }
                if job.name == "unlucky", runs > 8 { return .none }
                throw RedisError(.notSent, "Redis is away")
            }
        ])
        try await running([worker]) {
            try await fixture.submit("unlucky")
            try await fixture.submit("guilty")
            try await until("one is dead") { try await fixture.state("guilty") == .failed }
            try await until("one is done") { try await fixture.state("unlucky") == .completed }
        }
        #expect(journal.all.filter { $0.hasPrefix("unlucky") } == Array(repeating: "unlucky 1", count: 9))
        // Twenty that did not count, then its two attempts.
        #expect(journal.all.filter { $0.hasPrefix("guilty") }.count == 22)
    }

    @Test func `a failure that no attempt can mend is final at once`() async throws {
        let fixture = try await QueueFixture(configure: Self.quick)
        let journal = Journal()
        let worker = fixture.worker([
            JobHandler { _, _ in
                throw TaskFailure(retryable: false, message: "broken file")
            } finally: { _, _, _ in
                journal.note("finally")
            }
        ])
        try await running([worker]) {
            try await fixture.submit("a")
            try await until("the task is dead") { try await fixture.state("a") == .failed }
        }
        #expect(journal.all == ["finally"])
        #expect(try await fixture.record("a").attempt == 1)
    }

    @Test func `a handler that cannot take note of the end is told again, without another run`() async throws {
        let fixture = try await QueueFixture(configure: Self.quick)
        let journal = Journal()
        let worker = fixture.worker([
            JobHandler { _, _ in
                journal.note("run")
                throw TaskFailure(retryable: false, message: "broken file")
            } finally: { _, failure, _ in
                journal.note("finally \(failure.message)")
                if journal.all.count < 4 { throw TaskFailure(retryable: true, message: "no room for events") }
            }
        ])
        try await running([worker]) {
            try await fixture.submit("a")
            try await until("the task is dead") { try await fixture.state("a") == .failed }
        }
        #expect(journal.all == ["run"] + Array(repeating: "finally broken file", count: 3))
        #expect(try await fixture.record("a").error == "broken file")
    }

    @Test func `a handler that never takes note is given up`() async throws {
        let fixture = try await QueueFixture(configure: Self.quick)
        let journal = Journal()
        let worker = fixture.worker([
            JobHandler { _, _ in
                throw TaskFailure(retryable: false, message: "broken file")
            } finally: { _, _, _ in
                journal.note("finally")
                throw TaskFailure(retryable: true, message: "never")
            }
        ])
        try await running([worker]) {
            try await fixture.submit("a")
            try await until("the task is dead") { try await fixture.state("a") == .failed }
        }
        #expect(journal.all.count == 5)
    }

    @Test func `a poison task is never run again, but its handler is told`() async throws {
        let fixture = try await QueueFixture(configure: Self.quick)
        let journal = Journal()
        try await fixture.submit("poison")
        _ = try await fixture.queue.reap(Job.type)
        for stall in 1...3 {
            _ = try await fixture.claimOne()
            try await until("the task is taken back") {
                try await fixture.expireLease(of: "poison")
                _ = try await fixture.queue.reap(Job.type)
                return try await fixture.record("poison").stalls == stall
            }
        }
        let worker = fixture.worker([
            JobHandler { _, _ in
                journal.note("run")
                return .none
            } finally: { _, failure, _ in
                journal.note(failure.message)
            }
        ])
        try await running([worker]) {
            try await until("the task is dead") { try await fixture.state("poison") == .failed }
        }
        #expect(journal.all == ["The worker stopped answering, 3 time(s)."])
    }

    @Test func `a payload that is not the handler's is dead at once`() async throws {
        let fixture = try await QueueFixture(configure: Self.quick)
        let worker = fixture.worker([JobHandler { _, _ in .none }])
        try await running([worker]) {
            let draft = try TaskDraft(type: Job.type, id: "odd", json: Array("[1]".utf8), context: QueueFixture.context)
            _ = try await fixture.queue.submit(raw: draft)
            try await until("the task is dead") { try await fixture.state("odd") == .failed }
        }
        #expect(try await fixture.record("odd").error?.hasPrefix("the payload is not one of type job") == true)
    }

    @Test func `a task whose time is over is stopped and tried again`() async throws {
        let fixture = try await QueueFixture(configure: Self.quick)
        let never = Gate()
        let worker = fixture.worker([
            JobHandler { _, context in
                if context.attempt == 1 { try await never.wait() }
                return .none
            }
        ])
        try await running([worker]) {
            var draft = try TaskDraft(Job(name: "a"), examID: nil, context: QueueFixture.context)
            draft.timeout = .milliseconds(50)
            _ = try await fixture.queue.submit(raw: draft)
            try await until("the task is done") { try await fixture.state("a") == .completed }
        }
        #expect(try await fixture.record("a").attempt == 2)
    }

    @Test func `a task whose handler ignores its time-out goes on elsewhere`() async throws {
        let fixture = try await QueueFixture(configure: Self.quick)
        let (deaf, release) = AsyncStream<Void>.makeStream()
        let worker = fixture.worker([
            JobHandler { _, context in
                if context.attempt == 1 {
                    // Waits in a task that nobody cancels.
                    await Task { for await _ in deaf {} }.value
                }
                return try TaskResult(context.attempt)
            }
        ])
        try await running([worker]) {
            var draft = try TaskDraft(Job(name: "a"), examID: nil, context: QueueFixture.context)
            draft.timeout = .milliseconds(50)
            _ = try await fixture.queue.submit(raw: draft)
            try await until("the task is done") { try await fixture.state("a") == .completed }
            release.finish()
        }
        #expect(try await fixture.record("a").result == .integer(2))
    }

    @Test func `a worker whose places are all held by deaf handlers ends with an error`() async throws {
        let fixture = try await QueueFixture(configure: Self.quick)
        let (deaf, release) = AsyncStream<Void>.makeStream()
        let worker = fixture.worker(
            [
                JobHandler { _, _ in
                    await Task { for await _ in deaf {} }.value
                    return .none
                }
            ], maxWorkers: 1)
        var draft = try TaskDraft(Job(name: "a"), examID: nil, context: QueueFixture.context)
        draft.timeout = .milliseconds(50)
        draft.retryDelays = [.zero]
        _ = try await fixture.queue.submit(raw: draft)
        await expect(.stuck) { try await worker.run() }
        // Another worker can go on with the task.
        try await until("the task waits again") { try await fixture.claim().first?.attempt == 2 }
        release.finish()
    }

    @Test func `a running task that is cancelled stops`() async throws {
        let fixture = try await QueueFixture(configure: Self.quick)
        let (started, never) = (Journal(), Gate())
        let worker = fixture.worker([
            JobHandler { _, _ in
                started.note("started")
                try await never.wait()
                return .none
            }
        ])
        try await running([worker]) {
            try await fixture.submit("a")
            try await until("it runs") { !started.all.isEmpty }
            #expect(try await fixture.queue.cancel(type: Job.type, id: "a") == .requested)
            try await until("it is cancelled") { try await fixture.state("a") == .cancelled }
        }
        #expect(started.all.count == 1)
    }

    @Test func `progress is shown while the task runs`() async throws {
        let fixture = try await QueueFixture(configure: Self.quick)
        let done = Gate()
        let worker = fixture.worker([
            JobHandler { _, context in
                await context.progress(0.25, "a quarter")
                try await done.wait()
                return .none
            }
        ])
        try await running([worker]) {
            try await fixture.submit("a")
            try await until("progress is shown") { try await fixture.record("a").message == "a quarter" }
            #expect(try await fixture.record("a").progress == 0.25)
            done.open()
        }
        #expect(try await fixture.state("a") == .completed)
    }

    @Test func `a worker that lost its lease stops the task, and its late result changes nothing`() async throws {
        let fixture = try await QueueFixture(configure: Self.quick)
        let journal = Journal()
        let never = Gate()
        let worker = fixture.worker([
            JobHandler { _, _ in
                journal.note("started")
                do { try await never.wait() } catch { journal.note("stopped") }
                return try TaskResult("late")
            }
        ])
        try await running([worker]) {
            try await fixture.submit("a")
            try await until("it runs") { !journal.all.isEmpty }
            // What another worker would do after this one was stopped for longer than its lease.
            var taken: TaskClaim?
            try await fixture.queue.pause(type: Job.type)
            try await until("the lease is lost") {
                try await fixture.expireLease(of: "a")
                _ = try await fixture.queue.reap(Job.type)
                return try await fixture.state("a") == .ready
            }
            try await fixture.queue.resume(type: Job.type)
            taken = try await fixture.claim().first
            try await until("the old run is stopped") { journal.all.contains("stopped") }
            // The worker itself may have claimed it again: the place was free.
            if let taken {
                #expect(try await fixture.queue.complete(taken, result: try JSON.encode("in time")))
                #expect(try await fixture.record("a").result == .string("in time"))
            } else {
                never.open()
            }
        }
        #expect(journal.all.filter { $0 == "stopped" }.count >= 1)
    }

    @Test func `a worker told to stop finishes what runs and claims no more`() async throws {
        let fixture = try await QueueFixture(configure: Self.quick)
        let (started, done) = (Journal(), Gate())
        let worker = fixture.worker(
            [
                JobHandler { job, _ in
                    started.note(job.name)
                    try await done.wait()
                    return .none
                }
            ], maxWorkers: 1)
        let group = ServiceGroup(
            services: [worker], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        async let run: Void = group.run()
        try await fixture.submit("first")
        try await until("it runs") { started.all == ["first"] }
        try await fixture.submit("second")
        await group.triggerGracefulShutdown()
        done.open()
        try await run
        #expect(started.all == ["first"])
        #expect(try await fixture.state("first") == .completed)
        #expect(try await fixture.state("second") == .ready)
    }

    @Test(arguments: [true, false])
    func `what does not finish in the grace is given back to the head of its list`(listens: Bool) async throws {
        let fixture = try await QueueFixture {
            Self.quick(&$0)
            $0.drainGrace = .milliseconds(20)
        }
        let (started, never) = (Journal(), Gate())
        let worker = fixture.worker(
            [
                JobHandler { job, _ in
                    started.note(job.name)
                    if listens {
                        try await never.wait()
                    } else {
                        await Task { try? await never.wait() }.value
                    }
                    return .none
                }
            ], maxWorkers: 1)
        let group = ServiceGroup(
            services: [worker], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        async let run: Void = group.run()
        try await fixture.submit("first")
        try await until("it runs") { started.all == ["first"] }
        try await fixture.submit("second")
        await group.triggerGracefulShutdown()
        try await run
        #expect(try await fixture.claim(2).map(\.id) == ["first", "second"])
        #expect(try await fixture.record("first").attempt == 1)
        never.open()
    }

    @Test func `a delayed task starts when it is due, though the worker sleeps`() async throws {
        let fixture = try await QueueFixture { $0.reapInterval = .seconds(3600) }
        let worker = fixture.worker([JobHandler { _, _ in .none }])
        try await running([worker]) {
            try await fixture.submit("later", delay: .milliseconds(200))
            try await until("the task is done") { try await fixture.state("later") == .completed }
        }
        let record = try await fixture.record("later")
        let started = try #require(record.startedAt)
        #expect(started.milliseconds - record.createdAt.milliseconds >= 200)
    }

    @Test func `types share the places of a worker in turn`() async throws {
        let fixture = try await QueueFixture(configure: Self.quick)
        let journal = Journal()
        try await fixture.queue.pause(type: Job.type)
        try await fixture.queue.pause(type: OtherJob.type)
        for number in 0..<40 {
            try await fixture.submit("\(number)")
            _ = try await fixture.queue.submit(
                OtherJob(name: "\(number)"), examID: nil, context: QueueFixture.context)
        }
        try await fixture.queue.resume(type: Job.type)
        try await fixture.queue.resume(type: OtherJob.type)
        let worker = fixture.worker(
            [
                JobHandler { _, _ in
                    journal.note("job")
                    return .none
                }, OtherHandler(journal: journal),
            ], maxWorkers: 2)
        try await running([worker]) {
            try await until("all are done") { journal.all.count == 80 }
        }
        let firstHalf = journal.all.prefix(40)
        #expect(firstHalf.count { $0 == "job" } >= 10)
        #expect(firstHalf.count { $0 == "other" } >= 10)
    }

    @Test func `a restart of Redis loses no task and a running one ends once`() async throws {
        let server = try RedisServer()
        let fixture = try await QueueFixture(server: server, configure: Self.quick)
        let journal = Journal()
        let done = Gate()
        let worker = fixture.worker([
            JobHandler { job, _ in
                journal.note(job.name)
                if job.name == "long" { try await done.wait() }
                return .none
            }
        ])
        try await running([worker]) {
            try await fixture.submit("long")
            try await until("it runs") { journal.all == ["long"] }
            try await fixture.submit("delayed", delay: .milliseconds(50))
            server.kill()
            done.open()
            try server.restart()
            try await until("both are done") {
                let states = [try? await fixture.state("long"), try? await fixture.state("delayed")]
                return states == [.completed, .completed]
            }
        }
        #expect(journal.all.sorted() == ["delayed", "long"])
    }
}

struct OtherJob: TaskPayload {
    static let type: TaskType = "other"
    static let defaultPriority = TaskPriority.normal
    var name: String
    var taskID: TaskID { TaskID(name) }
}

struct OtherHandler: TaskHandler {
    let journal: Journal

    func run(_ payload: OtherJob, context: TaskContext) async throws -> TaskResult {
        journal.note("other")
        return .none
    }
}
