internal import FoundationEssentials
internal import Glibc

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
}
