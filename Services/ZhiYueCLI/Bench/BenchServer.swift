internal import Domain
internal import FoundationEssentials
internal import Glibc
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import Redis
internal import ServiceKit

/// What a bench found: a table for people, JSON for programs.
protocol BenchFigures: Encodable {
    func table() -> String
}

/// A Redis of a bench's own, set up as `zhiyue up` does, in a folder that goes when the bench ends.
///
/// Redis ends with this process in whatever way; after a crash only its folder is left in the temporary directory.
final class BenchServer: Sendable {
    let url: String
    let socket: String
    private let process: ChildProcess
    private let running: Task<ChildProcess.Ending, any Error>
    /// Of the folder.
    let path: String
    // Keeps the folder locked.
    private let directory: DataDirectory

    /// Starts Redis and returns when it answers.
    init(environment: [String: String]) async throws {
        var template = Array("\(environment["TMPDIR"] ?? "/tmp")/zhiyue-bench-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw CommandFailure("cannot make a temporary folder", errno: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        directory = try DataDirectory(path: path, sharing: .exclusive)
        let redis = try PrivateRedis(directory: directory, environment: environment)
        let log = try ChildLog(name: "redis", directory: directory.logDirectory, showsWarnings: false)
        let process = ChildProcess(redis.launch, log: log)
        self.process = process
        // Runs beside everything else until `stop()`.
        let running = Task { try await process.run() }
        self.running = running
        url = redis.url
        socket = redis.socket
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await redis.waitUntilReady() }
            group.addTask {
                try await Task.sleep(for: .seconds(10))
                throw CommandFailure("redis-server does not answer: \(log.lastLines.last ?? "it said nothing")")
            }
            try await group.next()
            group.cancelAll()
        }
    }

    /// Ends Redis and removes what it wrote.
    func stop() async {
        process.send(SIGKILL)
        _ = try? await running.value
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Runs a bench on a Redis of its own and prints what it found.
    static func run(json: Bool, _ bench: (BenchServer, RedisClient) async throws -> any BenchFigures) async throws {
        // For all processes of the bench.
        OpenFiles.raiseLimit()
        let server = try await BenchServer(environment: ProcessInfo.processInfo.environment)
        do {
            let client = try Self.client(url: server.url)
            // Rewrites of the append-only file would disturb some rounds and not others.
            _ = try await client.send(["CONFIG", "SET", "auto-aof-rewrite-percentage", 0])
            let figures = try await bench(server, client)
            await client.close()
            await server.stop()
            if !json { print(figures.table()) }
            print(try JSON.string(figures))
        } catch {
            await server.stop()
            throw error
        }
    }

    /// - Parameter eventLoops: of the client's connections.
    static func client(
        url: String, eventLoops: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) throws -> RedisClient {
        RedisClient(configuration: try RedisConfiguration(url: url), logger: silent, eventLoopGroup: eventLoops)
    }

    static var silent: Logger { Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() } }

    /// A further process of a bench, not yet started: this program with `arguments`.
    func process(
        _ name: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> ChildProcess {
        try process(
            name, executable: try OwnExecutable.path(), ["bench"] + arguments, environment: environment)
    }

    /// - Parameters:
    ///   - environment: beside this program's own.
    ///   - deathSignal: what it gets when this program dies.
    func process(
        _ name: String, executable: String, _ arguments: [String] = [], environment: [String: String],
        deathSignal: Int32 = SIGKILL
    ) throws -> ChildProcess {
        let log = try ChildLog(name: name, directory: path, showsWarnings: true)
        return ChildProcess(
            ChildProcess.Launch(
                executable: executable, arguments: arguments,
                environment: ProcessInfo.processInfo.environment.merging(environment) { _, new in new },
                deathSignal: deathSignal), log: log)
    }

    /// Runs `body` beside `processes`, and kills those that are left.
    func with<R: Sendable>(
        _ processes: [ChildProcess], _ body: () async throws -> R
    ) async throws -> R {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for process in processes { group.addTask { _ = try await process.run() } }
            defer { for process in processes { process.send(SIGKILL) } }
            return try await body()
        }
    }
}
