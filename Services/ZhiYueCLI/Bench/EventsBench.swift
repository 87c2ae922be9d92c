internal import ArgumentParser

/// Measures the event bus against what its Redis can do.
struct EventsBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Publish, deliver and acknowledge events: rates, latencies, CPU time.",
        discussion: """
            Runs on a private Redis (append-only file, synced every second) with one process for everything but the \
            replicas. The ceiling is what redis-benchmark -P 16 reaches on the same Redis in the same run with the very \
            XADD a publisher sends. Publishers run on the event loop of their connection, as all that publish much \
            should. delivered_per_second counts events published by the callers, read, handled by a trivial handler \
            and acknowledged, all at once; backlog_per_second those that were published before. Latencies are from \
            the moment an event was due to be published to its handler. CPU times are in microseconds an event.
            """)

    @Option(help: "Concurrent publishers.")
    var callers = 64

    @Option(help: "Bytes of an event's data.")
    var bytes = 256

    @Option(help: "Times that the ceiling and the rates are measured; the median counts.")
    var rounds = 3

    @Option(help: "Seconds of publishing in a round, and of each latency.")
    var seconds = 4.0

    @Option(help: "Events of each delivery.")
    var events = 200_000

    @Option(
        parsing: .upToNextOption,
        help: "What to measure: all, or some of publish, deliver, backlog, latency, replicas, rebalancing.")
    var parts: [Part] = Part.allCases

    @Flag(help: "Print only the closing line of JSON.")
    var json = false

    enum Part: String, CaseIterable, ExpressibleByArgument {
        case publish, deliver, backlog, latency, replicas, rebalancing
    }

    func validate() throws {
        guard (1...10_000).contains(callers) else { throw ValidationError("--callers must be from 1 to 10000") }
        guard (EventsBenchEvents.minimumBytes...65_536).contains(bytes) else {
            throw ValidationError("--bytes must be from \(EventsBenchEvents.minimumBytes) to 65536")
        }
        guard (1...99).contains(rounds) else { throw ValidationError("--rounds must be from 1 to 99") }
        guard (0.1...600).contains(seconds) else { throw ValidationError("--seconds must be from 0.1 to 600") }
        guard (1000...10_000_000).contains(events) else {
            throw ValidationError("--events must be from 1000 to 10000000")
        }
    }

    func run() async throws {
        try await BenchServer.run(json: json) { server, client in
            try await EventsBenchRun(options: self, server: server, client: client).measure()
        }
    }
}
