internal import ArgumentParser
internal import FoundationEssentials

/// Runs the whole system on this machine.
struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Run the whole system on this machine until it is told to stop.",
        discussion: """
            Prints one line `ready http://HOST:PORT` when every service answers. A service that dies is started again. \
            SIGTERM or Ctrl-C stops everything in order, a second one at once. The services' logs are in DIR/logs.
            """)

    @Option(help: "The address to listen on; 0.0.0.0 for all.")
    var host = "127.0.0.1"

    @Option(help: "The port to listen on; 0 for any free one.")
    var port = 8080

    @OptionGroup var files: DataOptions

    @Option(help: "Use this Redis instead of a private one under the data directory.")
    var redisURL: String?

    @Option(help: "How many processes of a service, as ocr-worker=2,notifier=0.")
    var replicas = ReplicaCounts()

    @Flag(help: "Then mark a demonstration exam.")
    var demo = false

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("--port must be from 0 to 65535") }
        guard redisURL?.isEmpty != true else { throw ValidationError("--redis-url must not be empty") }
    }

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let executable = try OwnExecutable.path()
        let configuration = SystemConfiguration(
            host: host, port: port, dataDirectory: files.dataDirectory, redisURL: redisURL, replicas: replicas,
            executableDirectory: try OwnExecutable.directory(), environment: environment)
        let demonstration: @Sendable (RunningSystem) async -> Void = { system in
            await DemonstrationCompanion.run(beside: system, executable: executable, environment: environment)
        }
        let runner = try SystemRunner(configuration, companion: demo ? demonstration : nil)
        try await runner.run()
    }
}
