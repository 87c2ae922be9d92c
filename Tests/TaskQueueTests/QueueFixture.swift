import Domain
import Logging
import Redis
import Synchronization
import TestSupport
import Testing

@testable import TaskQueue

/// Work for tests; two of the same name are the same work.
struct Job: TaskPayload, Equatable {
    static let type: TaskType = "job"
    static let defaultPriority = TaskPriority.normal
    var name: String
    var taskID: TaskID { TaskID(name) }
}

/// A queue of its own on a Redis server that all tests share.
struct QueueFixture {
    static let server = Result { try RedisServer() }
    static let context = EventContext(
        source: "/test", correlationID: "correlation", causationID: "cause", actor: "someone", traceparent: "trace")

    let client: RedisClient
    let queue: TaskQueue
    /// nil on the real clock.
    let clock: ScriptClock?

    /// - Parameter clock: whether the scripts take their time from the test.
    init(
        clock isControlled: Bool = false, server: RedisServer? = nil, prefix: String? = nil,
        configure: (inout TaskQueueConfiguration) -> Void = { _ in }
    ) async throws {
        var configuration = TaskQueueConfiguration()
        configure(&configuration)
        try configuration.validate()
        let url = try server?.url ?? Self.server.get().url
        client = try RedisClient(
            configuration: RedisConfiguration(url: url),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let keys = RedisKeys(prefix: prefix ?? "t\(UInt64.random(in: 0...(.max)))")
        clock = isControlled ? ScriptClock(client: client, key: keys.queue("job", "clock")) : nil
        let scripts = isControlled ? QueueScripts(clock: ScriptClock.source) : QueueScripts()
        queue = TaskQueue(client: client, keys: keys, configuration: configuration, scripts: scripts)
        try await clock?.set(ScriptClock.start)
    }

    @discardableResult
    func submit(
        _ name: String, _ priority: TaskPriority = .normal, delay: Duration? = nil
    ) async throws -> TaskSubmission {
        try await queue.submit(
            Job(name: name), priority: priority, examID: "exam", context: Self.context, delay: delay)
    }

    func claim(_ count: Int = 1, worker: String = "worker") async throws -> [TaskClaim] {
        try await queue.claim(Job.type, count: count, worker: worker).tasks
    }

    func claimOne() async throws -> TaskClaim {
        try #require(try await claim().first)
    }

    func record(_ name: String) async throws -> TaskRecord {
        try #require(try await queue.task(type: Job.type, id: TaskID(name)))
    }

    func state(_ name: String) async throws -> TaskState {
        try await record(name).state
    }

    /// Sums over the priorities.
    func totals() async throws -> (ready: Int, scheduled: Int, running: Int, dead: Int) {
        try await queue.statistics(type: Job.type).reduce((0, 0, 0, 0)) {
            ($0.0 + $1.ready, $0.1 + $1.scheduled, $0.2 + $1.running, $0.3 + $1.dead)
        }
    }

    func key(_ part: String) -> String { queue.keys.queue("job", part) }

    /// Makes a task's lease run out now.
    func expireLease(of name: String) async throws {
        _ = try await client.send(["ZADD", key("leases"), "XX", 1, name])
    }

    func worker(
        _ handlers: [any TaskHandler], maxWorkers: Int = 2, name: String = "worker"
    ) -> TaskWorker {
        TaskWorker(
            queue: queue, handlers: handlers, maxWorkers: maxWorkers, name: name,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }
}

/// The time of the scripts, moved by the test.
struct ScriptClock {
    static let source = Array("local now_us = tonumber(redis.call('GET', KEYS[1] .. 'clock'))\n".utf8)
    static let start: Int64 = 1_800_000_000_000_000

    let client: RedisClient
    let key: String
    private let now = Now()

    private final class Now: Sendable {
        let microseconds = Mutex(ScriptClock.start)
    }

    init(client: RedisClient, key: String) {
        self.client = client
        self.key = key
    }

    func set(_ microseconds: Int64) async throws {
        now.microseconds.withLock { $0 = microseconds }
        _ = try await client.send(["SET", key, microseconds])
    }

    func advance(_ duration: Duration) async throws {
        try await set(now.microseconds.withLock { $0 } + duration.milliseconds * 1000)
    }

    var milliseconds: Int64 { now.microseconds.withLock { $0 } / 1000 }
}

/// A handler made of closures.
struct JobHandler: TaskHandler {
    var body: @Sendable (Job, TaskContext) async throws -> TaskResult
    var finally: @Sendable (Job, TaskFailure, TaskContext) async throws -> Void = { _, _, _ in }

    init(
        _ body: @escaping @Sendable (Job, TaskContext) async throws -> TaskResult,
        finally: @escaping @Sendable (Job, TaskFailure, TaskContext) async throws -> Void = { _, _, _ in }
    ) {
        self.body = body
        self.finally = finally
    }

    func run(_ payload: Job, context: TaskContext) async throws -> TaskResult { try await body(payload, context) }

    func failedFinally(_ payload: Job, error: TaskFailure, context: TaskContext) async throws {
        try await finally(payload, error, context)
    }
}

/// Opened once; who waits for it waits until then or until cancelled.
final class Gate: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream()
    }

    func open() { continuation.finish() }

    func wait() async throws {
        for await _ in stream {}
        try Task.checkCancellation()
    }
}

/// What happened, in order.
final class Journal: Sendable {
    private let lines = Mutex<[String]>([])

    func note(_ line: String) { lines.withLock { $0.append(line) } }

    var all: [String] { lines.withLock { $0 } }
}

/// Looks until `condition` holds; fails the test when it does not within ten seconds.
func until(
    _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    let giveUp = ContinuousClock.now + .seconds(10)
    while try await !condition() {
        try #require(ContinuousClock.now < giveUp, what, sourceLocation: sourceLocation)
        try await Task.sleep(for: .milliseconds(2))
    }
}

/// Expects a `TaskQueueError` of one code.
func expect(
    _ code: TaskQueueError.Code, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async {
    do {
        try await body()
        Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    } catch let error as TaskQueueError {
        #expect(error.code == code, sourceLocation: sourceLocation)
    } catch {
        Issue.record("\(error)", sourceLocation: sourceLocation)
    }
}

/// How many tasks of an exam ran at the same time at most.
final class GreatestPerExam: Sendable {
    private struct State {
        var running: [ExamID: Int] = [:]
        var most = 0
        var done = 0
    }

    private let state = Mutex(State())

    var most: Int { state.withLock { $0.most } }
    var done: Int { state.withLock { $0.done } }

    func begin(_ exam: ExamID) {
        state.withLock { state in
            state.running[exam, default: 0] += 1
            state.most = max(state.most, state.running[exam] ?? 0)
        }
    }

    func end(_ exam: ExamID) {
        state.withLock { state in
            state.running[exam, default: 0] -= 1
            state.done += 1
        }
    }
}

struct CountingJobHandler: TaskHandler {
    let greatest: GreatestPerExam

    func run(_ job: Job, context: TaskContext) async throws -> TaskResult {
        let exam = context.examID ?? ""
        greatest.begin(exam)
        await Task.yield()
        greatest.end(exam)
        return .none
    }
}
