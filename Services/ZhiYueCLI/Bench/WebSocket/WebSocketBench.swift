internal import ArgumentParser

/// Measures the gateway's WebSockets.
struct WebSocketBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "websocket",
        abstract: "Hold, feed and bring back WebSocket clients: memory, rates, latencies.",
        discussion: """
            Runs a gateway of its own on a private Redis; the clients are in other processes of this program and come from \
            several addresses of 127.0.0.0/8. idle: the gateway's resident memory for each connection with one \
            subscription. fan-out: event messages received in a second, all told, when one exam has many subscribers and \
            as many events are published as they take. latency: from the publishing of an event to its arrival at each of \
            those subscribers, 10 events a second. peer: \
            fan-out and latency with clients of another make (picows, in Python), beside nginx with nchan and the same \
            clients, in turn; it needs what `deploy/tools/deps.sh --bench` installs. many: connections spread over 1,000 exams. storm: subscribers that all \
            lose their connection, come back at once with their cursors and get what they missed.
            """)

    @Option(help: "Idle connections.")
    var connections = 15_000

    @Option(help: "Subscribers of one exam.")
    var subscribers = 5000

    @Option(help: "Bytes of an event's data, about.")
    var bytes = 300

    @Option(help: "Seconds of each rate and latency.")
    var seconds = 10.0

    @Option(help: "Connections spread over 1,000 exams, and events a second to these.")
    var many = 10_000

    @Option(help: "Events a second to 1,000 exams.")
    var rate = 2000

    @Option(help: "Rounds of the part peer; its figures are medians.")
    var rounds = 3

    @Option(help: ArgumentHelp("The folder of the Python packages picows and uvloop.", valueName: "folder"))
    var packages = ".deps/bench"

    @Option(
        parsing: .upToNextOption,
        help: "What to measure: all, or some of idle, fan-out, latency, peer, many, storm.")
    var parts: [Part] = []

    @Flag(help: "Print only the closing line of JSON.")
    var json = false

    enum Part: String, CaseIterable, ExpressibleByArgument {
        case idle, latency, peer, many, storm
        case fanOut = "fan-out"
    }

    func validate() throws {
        for (name, value) in [("--connections", connections), ("--subscribers", subscribers), ("--many", many)] {
            guard (10...100_000).contains(value) else { throw ValidationError("\(name) must be from 10 to 100000") }
        }
        guard (WebSocketBenchEvents.minimumBytes...16_384).contains(bytes) else {
            throw ValidationError("--bytes must be from \(WebSocketBenchEvents.minimumBytes) to 16384")
        }
        guard (1...600).contains(seconds) else { throw ValidationError("--seconds must be from 1 to 600") }
        guard (1...100).contains(rounds) else { throw ValidationError("--rounds must be from 1 to 100") }
        guard (1...100_000).contains(rate) else { throw ValidationError("--rate must be from 1 to 100000") }
    }

    func run() async throws {
        try await BenchServer.run(json: json) { server, client in
            try await WebSocketBenchRun(options: self, server: server, client: client).measure()
        }
    }
}
