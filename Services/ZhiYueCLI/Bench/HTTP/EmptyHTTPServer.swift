internal import ArgumentParser
internal import Hummingbird

/// What is left of an HTTP server when it does nothing: one route of Hummingbird that answers with a few bytes.
struct EmptyHTTPServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "empty-http-server", abstract: "An empty server for the bench of HTTP.", shouldDisplay: false)

    @Option var port: Int

    func run() async throws {
        let router = Router()
        router.get("/") { _, _ in "ok" }
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)),
            logger: BenchServer.silent)
        try await application.runService()
    }
}
