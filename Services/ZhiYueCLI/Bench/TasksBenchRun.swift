internal import ArgumentParser
internal import Domain
internal import Glibc
internal import Redis
internal import TaskQueue

/// One run of the bench: the connections, and what its parts share.
struct TasksBenchRun: Sendable {
    let options: TasksBench
    let server: BenchServer
    let client: RedisClient
    let meter: LoadMeter
    let queue: TaskQueue

    private static let context = EventContext(source: "/zhiyue/bench", correlationID: .make())

    init(options: TasksBench, server: BenchServer, client: RedisClient) {
        self.options = options
        self.server = server
        self.client = client
        meter = LoadMeter(client: client)
        queue = Self.queue(client)
    }

    static func queue(_ client: RedisClient) -> TaskQueue {
        TaskQueue(client: client, keys: RedisKeys(), configuration: TaskQueueConfiguration())
    }

    private func progress(_ text: String) {
        if !options.json { writeError(text) }
    }

    func measure() async throws -> TasksBenchFigures {
        var figures = TasksBenchFigures()
        if options.parts.contains(.submit) { try await measureSubmitting(&figures) }
        if options.parts.contains(.complete) { try await measureCompleting(&figures) }
        if options.parts.contains(.pickup) { try await measurePickup(&figures) }
        if options.parts.contains(.recovery) { try await measureRecovery(&figures) }
        if options.parts.contains(.replicas) { try await measureReplicas(&figures) }
        return figures
    }

    // MARK: Submitting

    private func measureSubmitting(_ figures: inout TasksBenchFigures) async throws {
        var single: [(rate: BenchRate, script: Double)] = []
        var batches: [(rate: BenchRate, script: Double)] = []
        for round in 1...options.rounds {
            try await meter.clear()
            let empty = try await meter.info("memory", "used_memory")
            single.append(try await measured { try await submitOneByOne() })
            let full = try await meter.info("memory", "used_memory")
            figures.bytesPerTask = Int((full - empty) / Double(options.tasks))
            try await meter.clear()
            batches.append(try await measured { try await submitBatches(0..<options.tasks) })
            progress(
                "round \(round) of \(options.rounds): one by one \(single[round - 1].rate), "
                    + "in batches \(batches[round - 1].rate)")
        }
        let (one, many) = (middle(single), middle(batches))
        figures.setSubmitting(one.rate, script: one.script)
        figures.setBatches(many.rate, script: many.script)
    }

    private func submitOneByOne() async throws -> Int {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<options.callers {
                group.addTask(executorPreference: client.taskExecutor) {
                    for number in stride(from: caller, to: options.tasks, by: options.callers) {
                        _ = try await queue.submit(
                            TasksBenchTask(number, bytes: options.bytes), examID: nil, context: Self.context)
                    }
                }
            }
            try await group.waitForAll()
        }
        return options.tasks
    }

    /// Four callers, each a batch after the other.
    private func submitBatches(_ numbers: Range<Int>) async throws -> Int {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<4 {
                group.addTask {
                    for first in stride(from: numbers.lowerBound + caller * 100, to: numbers.upperBound, by: 400) {
                        let batch = try (first..<min(first + 100, numbers.upperBound)).map {
                            try TaskDraft(
                                TasksBenchTask($0, bytes: options.bytes), examID: nil, context: Self.context)
                        }
                        _ = try await queue.submit(batch: batch)
                    }
                }
            }
            try await group.waitForAll()
        }
        return numbers.count
    }

    // MARK: Running

    private func measureCompleting(_ figures: inout TasksBenchFigures) async throws {
        var rates: [(rate: BenchRate, script: Double)] = []
        var lost = 0
        var duplicated = 0
        for round in 1...options.rounds {
            try await meter.clear()
            _ = try await submitBatches(0..<options.tasks)
            let handler = TasksBenchHandler(isRecording: true)
            rates.append(
                try await measured {
                    try await withWorker(handler, options.workers) { try await waitUntilDone() }
                    return options.tasks
                })
            let seen = handler.take()
            lost += options.tasks - seen.runs.count
            duplicated += seen.runs.values.reduce(0) { $0 + $1 - 1 }
            progress("round \(round) of \(options.rounds): claimed, run and completed \(rates[round - 1].rate)")
        }
        let rate = middle(rates)
        figures.setCompleting(rate.rate, script: rate.script)
        figures.lost = lost
        figures.duplicated = duplicated
    }

    private func measurePickup(_ figures: inout TasksBenchFigures) async throws {
        try await meter.clear()
        let handler = TasksBenchHandler(isRecording: true)
        let rate = 200
        let count = Int(Double(rate) * options.seconds)
        let milliseconds = try await withWorker(handler, options.workers) {
            // Connections and caches get warm.
            try await offer(0..<100, rate: rate)
            try await waitUntilDone()
            _ = handler.take()
            try await offer(100..<(100 + count), rate: rate)
            try await waitUntilDone()
            return handler.take().nanoseconds.sorted().map { Double($0) / 1e6 }
        }
        let figure = TasksBenchFigures.Milliseconds(
            p50: percentile(50, of: milliseconds), p95: percentile(95, of: milliseconds),
            p99: percentile(99, of: milliseconds))
        progress("\(rate) tasks a second: picked up after p50 \(figure.p50) ms, p99 \(figure.p99) ms")
        figures.pickup = figure
    }

    private func offer(_ numbers: Range<Int>, rate: Int) async throws {
        let interval = Duration.seconds(1) / rate
        let clock = ContinuousClock()
        let start = clock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, number) in numbers.enumerated() {
                try await clock.sleep(until: start + interval * index, tolerance: .zero)
                let due = EventsBenchEvents.now()
                group.addTask {
                    _ = try await queue.submit(
                        TasksBenchTask(number, bytes: options.bytes, due: due), examID: nil, context: Self.context)
                }
            }
            try await group.waitForAll()
        }
    }

    // MARK: Several processes

    /// From the SIGKILL of a worker with tasks in hand to their next run, by another worker that is there already.
    private func measureRecovery(_ figures: inout TasksBenchFigures) async throws {
        var seconds: [Double] = []
        for round in 1...options.rounds {
            try await meter.clear()
            let count = 20
            seconds += try await withProcesses(1, workers: count, milliseconds: 3_600_000) { processes in
                _ = try await submitBatches(0..<count)
                try await wait { $0.running == count }
                let handler = TasksBenchHandler(isRecording: true)
                return try await withWorker(handler, count) {
                    for process in processes { process.send(SIGKILL) }
                    let killed = EventsBenchEvents.now()
                    try await waitUntilDone()
                    // The tasks were due at 0, so what is kept is the instant of their run.
                    return handler.take().nanoseconds.map { Double($0 &- killed) / 1e9 }
                }
            }
            progress("round \(round) of \(options.rounds): run again after \(rounded(seconds.max() ?? 0)) s at most")
        }
        seconds.sort()
        figures.recovery = TasksBenchFigures.Recovery(
            p50: percentile(50, of: seconds), max: percentile(100, of: seconds))
    }

    /// Tasks of 20 ms, two at a time in each replica.
    private func measureReplicas(_ figures: inout TasksBenchFigures) async throws {
        var found: [TasksBenchFigures.Replicas] = []
        for replicas in [1, 2, 4, 8] {
            try await meter.clear()
            let workers = 2
            let count = Int(options.seconds * 50 * Double(workers * replicas))
            let rate = try await withProcesses(replicas, workers: workers, milliseconds: 20) { _ in
                // All of them are there when the time begins.
                _ = try await submitBatches(0..<(replicas * workers * 10))
                try await waitUntilDone()
                try await queue.pause(type: TasksBenchTask.type)
                _ = try await submitBatches(100_000..<(100_000 + count))
                return try await meter.timed {
                    try await queue.resume(type: TasksBenchTask.type)
                    try await waitUntilDone()
                    return count
                }
            }
            let linear =
                rate.perSecond / (Double(found.first?.completedPerSecond ?? Int(rate.perSecond)) * Double(replicas))
            found.append(
                TasksBenchFigures.Replicas(
                    replicas: replicas, completedPerSecond: Int(rate.perSecond), linear: rounded(linear)))
            progress("\(replicas) replicas: \(Int(rate.perSecond)) tasks of 20 ms a second")
        }
        figures.replicas = found
    }

    private func withProcesses<R: Sendable>(
        _ count: Int, workers: Int, milliseconds: Int, _ body: ([ChildProcess]) async throws -> R
    ) async throws -> R {
        let processes = try (0..<count).map { number in
            let name = "worker-\(number)"
            return try server.process(
                name,
                [
                    "tasks-worker", "--url", server.url, "--replica", name, "--workers", "\(workers)",
                    "--milliseconds", "\(milliseconds)",
                ])
        }
        return try await server.with(processes) { try await body(processes) }
    }

    // MARK: Shared

    private func withWorker<R: Sendable>(
        _ handler: TasksBenchHandler, _ workers: Int, _ body: @Sendable () async throws -> R
    ) async throws -> R {
        let worker = TaskWorker(
            queue: queue, handlers: [handler], maxWorkers: workers, name: "bench", logger: BenchServer.silent)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await worker.run() }
            let result = try await body()
            group.cancelAll()
            return result
        }
    }

    private func waitUntilDone() async throws {
        try await wait { $0.ready + $0.running + $0.scheduled == 0 }
    }

    /// Looks every few milliseconds until `condition` holds for the tasks of all priorities together.
    private func wait(_ condition: (QueueStatistics) -> Bool) async throws {
        for _ in 0..<60_000 {
            let all = try await queue.statistics(type: TasksBenchTask.type)
            var sum = all[0]
            for part in all.dropFirst() {
                sum.ready += part.ready
                sum.scheduled += part.scheduled
                sum.running += part.running
            }
            if condition(sum) { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw CommandFailure("the tasks were not done in five minutes")
    }

    /// A load's rate, and the time of Redis inside of scripts for an item, in microseconds.
    private func measured(_ load: () async throws -> Int) async throws -> (rate: BenchRate, script: Double) {
        _ = try await client.send(["CONFIG", "RESETSTAT"])
        var count = 0
        let rate = try await meter.timed {
            count = try await load()
            return count
        }
        let text = try await client.send(["INFO", "commandstats"]).string ?? ""
        var microseconds = 0.0
        for line in text.split(separator: "\r\n") where line.hasPrefix("cmdstat_eval") {
            let field = line.split(separator: ",").first { $0.hasPrefix("usec=") }
            microseconds += field.flatMap { Double($0.dropFirst(5)) } ?? 0
        }
        return (rate, microseconds / Double(max(count, 1)))
    }

    private func middle(_ rates: [(rate: BenchRate, script: Double)]) -> (rate: BenchRate, script: Double) {
        rates.sorted { $0.rate.perSecond < $1.rate.perSecond }[rates.count / 2]
    }
}

/// One of several workers of the bench: runs until it is killed.
struct TasksBenchWorker: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tasks-worker", abstract: "A worker of the bench of tasks.", shouldDisplay: false)

    @Option var url: String
    @Option var replica: String
    @Option var workers: Int
    @Option var milliseconds: Int

    func run() async throws {
        let worker = TaskWorker(
            queue: TasksBenchRun.queue(try BenchServer.client(url: url)),
            handlers: [TasksBenchHandler(taking: .milliseconds(milliseconds))], maxWorkers: workers, name: replica,
            logger: BenchServer.silent)
        try await worker.run()
    }
}
