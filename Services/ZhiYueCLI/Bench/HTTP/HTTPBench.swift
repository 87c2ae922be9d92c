internal import ArgumentParser
internal import Domain

/// Measures the REST API.
struct HTTPBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "http", abstract: "Read an exam over and over: requests a second, beside an empty route.",
        discussion: """
            Runs a gateway of its own on a private Redis, and a server of the same framework with one empty route. wrk asks \
            both in turn: for GET /api/exams/{id} with a token, and for the empty route. Needs wrk, which \
            `deploy/tools/deps.sh --bench` installs.
            """)

    @Option(help: "Connections that ask at a time.")
    var connections = 64

    @Option(help: "Seconds of each round.")
    var seconds = 10

    @Option(help: "Rounds of each; the figures are medians.")
    var rounds = 3

    @Option(help: "Questions of the exam.")
    var questions = 40

    @Flag(help: "Print only the closing line of JSON.")
    var json = false

    func validate() throws {
        guard (1...10_000).contains(connections) else { throw ValidationError("--connections must be from 1 to 10000") }
        guard (1...600).contains(seconds) else { throw ValidationError("--seconds must be from 1 to 600") }
        guard (1...100).contains(rounds) else { throw ValidationError("--rounds must be from 1 to 100") }
        guard (1...200).contains(questions) else { throw ValidationError("--questions must be from 1 to 200") }
    }

    func run() async throws {
        try await BenchServer.run(json: json) { server, _ in
            try await HTTPBenchRun(options: self, server: server).measure()
        }
    }
}
