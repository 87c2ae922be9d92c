internal import Domain
internal import FoundationEssentials
internal import Redis

/// The bench's side of several processes of clients.
struct WebSocketBenchCrowd {
    /// Connections a process and a source address have at most.
    private static let share = 5000

    let processes: [ChildProcess]
    let connections: Int
    private let names: [String]
    private let client: RedisClient

    init(
        _ server: BenchServer, _ client: RedisClient, gateway: BenchGateway, name: String, connections: Int,
        exams: Int, flags: [String] = []
    ) throws {
        self.client = client
        self.connections = connections
        var processes: [ChildProcess] = []
        var names: [String] = []
        // Two at least: one alone would be the bottleneck.
        let count = max(2, (connections + Self.share - 1) / Self.share)
        for number in 0..<count {
            let own = connections / count + (number < connections % count ? 1 : 0)
            let process = "\(name)-\(number)"
            names.append(process)
            processes.append(
                try server.process(
                    process,
                    [
                        "websocket-clients", "--redis", server.url, "--port", "\(gateway.port)", "--name", process,
                        "--connections", "\(own)", "--first-exam", "\(number * own % exams)", "--exams", "\(exams)",
                        "--source", "127.0.0.\(10 + number)",
                    ] + flags, environment: ["ZHIYUE_BENCH_TOKEN": gateway.token]))
        }
        self.processes = processes
        self.names = names
    }

    func report() async throws -> WebSocketBenchReport {
        var total = WebSocketBenchReport()
        for name in names {
            guard let text = try await client.send(["GET", "bench:\(name):report"]).string else { continue }
            total.add(try JSON.decode(WebSocketBenchReport.self, from: text))
        }
        return total
    }

    /// Waits until `isDone`.
    /// - Throws: `CommandFailure` when that takes longer than `patience`.
    @discardableResult
    func wait(
        _ what: String, patience: Duration = .seconds(120), until isDone: (WebSocketBenchReport) -> Bool
    ) async throws -> WebSocketBenchReport {
        let deadline = ContinuousClock.now + patience
        while true {
            let report = try await report()
            if isDone(report) { return report }
            guard ContinuousClock.now < deadline else {
                throw CommandFailure(
                    """
                    \(what) took longer than \(patience): \(report.opened) opened, \(report.subscribed) subscribed, \
                    \(report.failed) failed, \(report.closed) closed, \(report.events) events
                    """)
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Returns when all processes have done it.
    func order(_ order: WebSocketBenchClients.Order) async throws {
        for name in names {
            _ = try await client.send(["DEL", "bench:\(name):done"])
            _ = try await client.send(["RPUSH", "bench:\(name):orders", order.rawValue])
        }
        for name in names {
            while try await client.send(["GET", "bench:\(name):done"]).isNull {
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }
}
