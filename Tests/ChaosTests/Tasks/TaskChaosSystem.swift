import ChaosWorkload
import Domain
import Foundation
import Logging
import Redis
import Synchronization
import TaskQueue
import TestSupport

/// A private Redis, and workers and producers of tasks in processes of their own.
final class TaskChaosSystem: ChaosLifetime {
    struct Stuck: Error, CustomStringConvertible {
        let description: String
    }

    /// What all producers together are to submit.
    struct Production: Sendable {
        var seed: UInt64
        var producers: Int
        var tasksEach: Int
        var duration: Duration
        /// Now and then there are more of an exam than may run: those behind them must not wait for ever.
        var limits = QueueLimits(running: 56, runningPerExam: 12)

        var plans: [TaskPlan] {
            (0..<producers).flatMap { producer in
                (0..<tasksEach).map { TaskPlan(seed: seed, producer: producer, number: $0) }
            }
        }
    }

    let server: RedisServer
    let timing: ChaosTiming
    let workers: [ReplicaProcess]
    let producers: [ReplicaProcess]
    /// What should not have happened, besides what the accounting finds.
    let failures = Mutex<[String]>([])
    /// Not behind any network that fails, as is everything here.
    let client: RedisClient
    let queue: TaskQueue
    let ledger: EffectLedger
    private let production: Production?

    private static let logger = Logger(label: "chaos", factory: { _ in SwiftLogNoOpLogHandler() })

    /// - Parameter places: tasks that each worker runs at the same time.
    init(
        workers count: Int, places: Int, production: Production?, timing: ChaosTiming
    ) async throws {
        self.production = production
        self.timing = timing
        // What Redis has acknowledged it also has after it was killed.
        server = try RedisServer(arguments: ["--appendfsync", "always"])
        client = RedisClient(configuration: try RedisConfiguration(url: server.url), logger: Self.logger)
        queue = timing.queue(client)
        ledger = EffectLedger(client: client)
        if let production { try await queue.setLimits(production.limits, type: CountedTask.type) }
        // Clocks of workers must not matter: one is an hour behind, one an hour ahead.
        let shifts = [-3600, 3600, 0]
        let gates = server.directory.path
        var workers: [ReplicaProcess] = []
        for number in 0..<count {
            workers.append(
                try await ReplicaProcess(
                    server: server, role: .taskWorker(TaskWorkerOptions(places: places, gates: gates)),
                    name: "worker-\(number)", timing: timing, clockShift: shifts[number % shifts.count]))
        }
        self.workers = workers
        var producers: [ReplicaProcess] = []
        let begin = Timestamp.now.milliseconds
        for number in 0..<(production?.producers ?? 0) {
            guard let production else { break }
            producers.append(
                try await ReplicaProcess(
                    server: server,
                    role: .taskProducer(
                        TaskProducerOptions(
                            seed: production.seed, producer: number, quota: production.tasksEach, begin: begin,
                            milliseconds: Int64(production.duration / .milliseconds(1)),
                            progressFile: Self.progressFile(server, number))),
                    name: "producer-\(number)", timing: timing))
        }
        self.producers = producers
    }

    /// Ends everything. The data are gone afterwards.
    func stop() async {
        for process in workers + producers {
            process.kill()
            await process.network.stop()
        }
        await client.close()
        server.stop()
    }

    static func run<Result>(
        workers: Int, places: Int = 16, production: Production? = nil, timing: ChaosTiming = .tasks,
        _ body: (TaskChaosSystem) async throws -> Result
    ) async throws -> Result {
        let system = try await TaskChaosSystem(
            workers: workers, places: places, production: production, timing: timing)
        return try await system.untilStopped(body)
    }

    /// Notes when a process ended by itself: no fault of Redis or the network may do that.
    func expectRunning(_ process: ReplicaProcess) {
        if let end = process.untimelyEnd { failures.withLock { $0.append(end) } }
    }

    /// How many tasks are acknowledged.
    var submitted: Int { progress.reduce(0) { $0 + $1.next } }

    var isSubmitted: Bool { progress.allSatisfy { $0.next == production?.tasksEach } }

    // MARK: Afterwards

    /// Waits until the producers have submitted everything and every task has ended, and accounts for it.
    func verdict(within limit: Duration = .seconds(120)) async throws -> (TaskVerdict, TaskFindings) {
        try await drained(within: limit)
        for process in workers + producers { expectRunning(process) }
        let findings = try await findings()
        return (TaskVerdict(plans: production?.plans ?? [], findings: findings), findings)
    }

    private static func progressFile(_ server: RedisServer, _ producer: Int) -> String {
        server.directory.appendingPathComponent("producer-\(producer).progress").path
    }

    private var progress: [TaskProducerProgress] {
        producers.indices.map {
            TaskProducerProgress(file: Self.progressFile(server, $0)) ?? TaskProducerProgress()
        }
    }

    private func drained(within limit: Duration) async throws {
        let giveUp = ContinuousClock.now + limit
        while true {
            let waiting = try await queue.statistics(type: CountedTask.type).map {
                (ready: $0.ready, scheduled: $0.scheduled, running: $0.running)
            }
            if isSubmitted, waiting.allSatisfy({ $0 == (0, 0, 0) }) { return }
            guard ContinuousClock.now < giveUp else {
                let ends = (workers + producers).compactMap(\.untimelyEnd)
                throw Stuck(description: "submitted \(submitted), waiting \(waiting), ended \(ends)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func findings() async throws -> TaskFindings {
        var findings = TaskFindings()
        var cursor: String?
        repeat {
            let page = try await queue.tasks(type: CountedTask.type, cursor: cursor, limit: 1000)
            findings.tasks += page.items.map(FoundTask.init)
            cursor = page.nextCursor
        } while cursor != nil
        findings.runs = try await ledger.runs()
        findings.effects = try await ledger.effects()
        findings.finalFailures = try await ledger.finalFailures()
        let total = try await queue.metrics(type: CountedTask.type).total
        findings.ends = [.completed: total.completed, .failed: total.failed, .cancelled: total.cancelled]
        findings.leftOver = try await leftOver()
        (findings.refusedRepeats, findings.lateEffects) = try await ledger.refusals()
        findings.lateReports = lateReports
        findings.submittedAgain = progress.reduce(0) { $0 + $1.existing }
        findings.takenTwice = progress.reduce(0) { $0 + $1.takenTwice }
        return findings
    }

    /// What the queue still holds of tasks that run or are to run, though none is left.
    private func leftOver() async throws -> [String] {
        func key(_ name: String) -> String { RedisKeys().queue(CountedTask.type.rawValue, name) }
        let running = try await client.send(["ZCARD", key("leases")]).int ?? -1
        let scheduled = try await client.send(["ZCARD", key("scheduled")]).int ?? -1
        let exams = try await client.send(["HGETALL", key("exams")]).fields ?? []
        return [("leases", running), ("scheduled tasks", scheduled), ("exams with running tasks", exams.count)]
            .filter { $0.1 != 0 }.map { "\($0.1) \($0.0)" }
    }

    /// Reports that workers made after another had their task: nobody but they know of them.
    private var lateReports: Int {
        workers.reduce(0) { count, worker in
            let log = (try? String(contentsOfFile: worker.logFile, encoding: .utf8)) ?? ""
            return count + log.split(separator: "\n").count { $0.contains("A report came too late") }
        }
    }
}
