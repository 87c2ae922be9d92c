internal import ArgumentParser

/// Measures parts of the system on this machine.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure parts of the system on this machine.",
        discussion: "The last line of every bench is one JSON object of its figures.",
        subcommands: [
            EventsBench.self, EventsBenchReplica.self, TasksBench.self, TasksBenchWorker.self, WebSocketBench.self,
            WebSocketBenchClients.self, HTTPBench.self, EmptyHTTPServer.self, RecognitionBench.self,
        ])
}
