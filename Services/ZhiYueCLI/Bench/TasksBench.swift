internal import ArgumentParser

/// Measures the task queue against what its scripts cost Redis.
struct TasksBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tasks",
        abstract: "Submit, run and recover tasks: rates, latencies, memory.",
        discussion: """
            Runs on a private Redis (append-only file, synced every second). submit_per_second counts tasks submitted \
            one by one, submit_batch_per_second those in batches of 100; completed_per_second counts queued tasks that \
            one process claims, runs (a handler that does nothing) and completes, with leases and results. pickup_ms is \
            from the moment a task was due to be submitted to its handler; recovery_seconds from the SIGKILL of a \
            worker to the next run of its tasks. redis_scripts is the CPU time the scripts took of \
            Redis for a task, and their share of one core at that rate: 1 would be Redis' own limit.
            """)

    @Option(help: "Concurrent callers that submit one by one.")
    var callers = 32

    @Option(help: "Bytes of a task's payload.")
    var bytes = 200

    @Option(help: "Tasks of each rate.")
    var tasks = 100_000

    @Option(help: "Tasks that run at the same time in the process that empties the queue.")
    var workers = 128

    @Option(help: "Times that the rates and the recovery are measured; the median counts.")
    var rounds = 3

    @Option(help: "Seconds of the latency and of each number of replicas.")
    var seconds = 5.0

    @Option(
        parsing: .upToNextOption,
        help: "What to measure: all, or some of submit, complete, pickup, recovery, replicas.")
    var parts: [Part] = Part.allCases

    @Flag(help: "Print only the closing line of JSON.")
    var json = false

    enum Part: String, CaseIterable, ExpressibleByArgument {
        case submit, complete, pickup, recovery, replicas
    }

    func validate() throws {
        guard (1...10_000).contains(callers) else { throw ValidationError("--callers must be from 1 to 10000") }
        guard (TasksBenchTask.minimumBytes...32_768).contains(bytes) else {
            throw ValidationError("--bytes must be from \(TasksBenchTask.minimumBytes) to 32768")
        }
        guard (1000...200_000).contains(tasks) else { throw ValidationError("--tasks must be from 1000 to 200000") }
        guard (1...1000).contains(workers) else { throw ValidationError("--workers must be from 1 to 1000") }
        guard (1...99).contains(rounds) else { throw ValidationError("--rounds must be from 1 to 99") }
        guard (0.5...600).contains(seconds) else { throw ValidationError("--seconds must be from 0.5 to 600") }
    }

    func run() async throws {
        try await BenchServer.run(json: json) { server, client in
            try await TasksBenchRun(options: self, server: server, client: client).measure()
        }
    }
}
