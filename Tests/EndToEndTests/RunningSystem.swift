import Domain
import EventBus
import ExamStore
import Foundation
import Logging
import Redis
import Testing

/// `zhiyue up` on a folder of its own, and what a test wants to know of it.
final class RunningSystem: Sendable {
    let up: RunningProcess
    let directory: URL
    let url: String
    let redisURL: String
    private let ownsDirectory: Bool

    /// Returns when the system has said that it is ready.
    init(
        directory: URL? = nil, redisURL: String? = nil, arguments: [String] = [], environment: [String: String] = [:]
    ) async throws {
        let folder = try directory ?? Self.makeDirectory()
        ownsDirectory = directory == nil
        self.directory = folder
        self.redisURL = redisURL ?? "unix://\(folder.path)/redis.sock"
        let redis = redisURL.map { ["--redis-url", $0] } ?? []
        let up = try RunningProcess(
            "zhiyue", ["up", "--port", "0", "--data", folder.path] + redis + arguments, environment: environment)
        self.up = up
        try await eventually("zhiyue up is ready: \(up.errors)", within: 90) {
            up.output.contains("ready http") || !up.isRunning
        }
        let line = try #require(up.output.split(separator: "\n").first { $0.hasPrefix("ready ") }, "\(up.errors)")
        url = String(line.dropFirst("ready ".count))
    }

    deinit {
        if ownsDirectory { try? FileManager.default.removeItem(at: directory) }
    }

    static func makeDirectory() throws -> URL {
        let name = "zye-" + String(UInt64.random(in: 0...(.max)), radix: 36)
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    /// SIGTERM and an orderly end.
    func stop() async throws -> Int32 {
        up.send(SIGTERM)
        return try await up.end(within: 60)
    }

    /// The running processes of a service, children of `zhiyue up`.
    func pids(of service: String) -> [pid_t] {
        children(of: up.pid).filter { pid in
            let executable = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe")
            return executable?.hasSuffix("/\(service)") == true
        }
    }

    /// The running children of a process.
    func children(of parent: pid_t) -> [pid_t] {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return processes.compactMap { pid_t($0) }.filter { pid in
            guard let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
                let close = status.lastIndex(of: ")")
            else { return false }
            let fields = status[close...].split(separator: " ").dropFirst()
            return fields.first != "Z" && fields.dropFirst().first.flatMap { pid_t($0) } == parent
        }
    }

    /// Runs a command of `zhiyue` on this system.
    /// - Returns: its standard output.
    func command(_ arguments: [String], within seconds: Double = 60) async throws -> String {
        let process = try RunningProcess("zhiyue", arguments + ["--data", directory.path, "--redis-url", redisURL])
        let status = try await process.end(within: seconds)
        #expect(status == 0, "zhiyue \(arguments.joined(separator: " ")): \(process.errors)")
        return process.output
    }

    func withBus<Result>(_ body: (EventBus) async throws -> Result) async throws -> Result {
        try await withClient { client in
            try await body(
                EventBus(
                    client: client, keys: RedisKeys(), configuration: EventBusConfiguration(), source: "/test"))
        }
    }

    private func withClient<Result>(_ body: (RedisClient) async throws -> Result) async throws -> Result {
        let logger = Logger(label: "end-to-end") { _ in SwiftLogNoOpLogHandler() }
        let client = RedisClient(configuration: try RedisConfiguration(url: redisURL), logger: logger)
        do {
            let result = try await body(client)
            await client.close()
            return result
        } catch {
            await client.close()
            throw error
        }
    }

    /// All events that match, the oldest first.
    func events(types: Set<EventType> = [], correlationID: CorrelationID? = nil) async throws -> [EventEnvelope] {
        try await withBus { bus in
            var events: [EventEnvelope] = []
            var cursor: EventCursor?
            repeat {
                let filter = EventFilter(types: types, correlationID: correlationID)
                let page = try await bus.history(EventQuery(filter: filter, cursor: cursor, limit: 1000))
                events += page.events.map(\.event)
                cursor = page.next
            } while cursor != nil
            return events
        }
    }
}

extension RunningSystem {
    func withStore<Result>(_ body: (ExamStore) async throws -> Result) async throws -> Result {
        try await withClient { client in
            try await body(ExamStore(client: client, keys: RedisKeys(), partitions: EventBusConfiguration().partitions))
        }
    }

    /// Runs `zhiyue demo` on this system.
    /// - Returns: its standard output.
    func demonstration(sheets: Int, questions: Int, seed: Int) async throws -> String {
        let process = try RunningProcess(
            "zhiyue",
            [
                "demo", "--sheets", "\(sheets)", "--questions", "\(questions)", "--seed", "\(seed)", "--json", "--url",
                url, "--data", directory.path,
            ])
        #expect(try await process.end(within: 240) == 0, "\(process.output)\(process.errors)")
        return process.output
    }
}

extension RunningSystem {
    /// A token as `zhiyue token` prints it.
    func token(user: String, role: String) async throws -> String {
        let process = try RunningProcess("zhiyue", ["token", "--user", user, "--role", role, "--data", directory.path])
        #expect(try await process.end(within: 20) == 0, "\(process.errors)")
        return String(process.output.prefix { !$0.isNewline })
    }
}
