import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import ServiceKit
import Synchronization
import TestSupport

/// A real gateway in a process of its own, on a port it keeps.
final class GatewayProcess: Sendable {
    let port: Int
    /// What it writes to standard error.
    let logFile: String
    private let environment: [String: String]
    private let maxOpenFiles: Int?
    private let process = Mutex<WatchedProcess?>(nil)

    /// Starts nothing yet.
    ///
    /// - Parameters:
    ///   - settings: beside those every gateway of the tests has.
    ///   - maxOpenFiles: nil leaves it the limit of this process.
    init(
        server: RedisServer, name: String, secret: String, settings: [String: String] = [:], maxOpenFiles: Int? = nil
    ) throws {
        self.maxOpenFiles = maxOpenFiles
        port = try RedisServer.freePort()
        // `CHAOS_LOGS=DIR` keeps what the gateways log.
        let logs = ProcessInfo.processInfo.environment["CHAOS_LOGS"] ?? server.directory.path
        logFile = "\(logs)/\(name).log"
        environment = [
            "REDIS_URL": server.url, "DATA_DIR": server.directory.appendingPathComponent("data").path,
            "HTTP_PORT": "\(port)", "JWT_SECRET": secret, "SERVICE_REPLICA": name,
            "WEBSOCKET_MAX_CONNECTIONS_PER_USER": "1000000", "WEBSOCKET_HEARTBEAT_INTERVAL": "2",
            "WEBSOCKET_MAX_MESSAGES_PER_SECOND": "1000", "LOG_LEVEL": "warning",
        ].merging(settings) { _, new in new }
    }

    deinit { kill() }

    var url: String { "http://127.0.0.1:\(port)" }

    /// Returns when it serves requests.
    func start() async throws {
        let command = maxOpenFiles.map { ["sh", "-c", "ulimit -n \($0) && exec '\(Self.executable)'"] }
        let started = try WatchedProcess(
            command ?? [Self.executable], environment: environment, errorFile: logFile)
        process.withLock { $0 = started }
        try await eventually("the gateway on \(port) serves", within: .seconds(60)) {
            if let status = started.exitStatus {
                throw Overdue("the gateway ended with \(status): \(log.suffix(2000))")
            }
            return (try? await get("/readyz"))?.status == 200
        }
    }

    func kill() {
        process.withLock { process in
            process?.end()
            process = nil
        }
    }

    func signal(_ number: Int32) {
        process.withLock { $0?.signal(number) }
    }

    /// How it ended; nil while it runs.
    var exitStatus: Int32? { process.withLock { $0?.exitStatus } }

    var log: String { (try? String(contentsOfFile: logFile, encoding: .utf8)) ?? "" }

    // MARK: Requests

    struct Answer: Sendable {
        let status: Int
        let text: String
    }

    func get(_ path: String, token: String? = nil, timeout: TimeAmount = .seconds(10)) async throws -> Answer {
        try await send("GET", path, nil, token: token, timeout: timeout)
    }

    func post(_ path: String, json: String, token: String) async throws -> Answer {
        try await send("POST", path, json, token: token, timeout: .seconds(30))
    }

    private func send(
        _ method: String, _ path: String, _ json: String?, token: String?, timeout: TimeAmount
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: url + path)
        request.method = .init(rawValue: method)
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        // Nothing of a gateway that is to be killed is kept for later.
        request.headers.add(name: "Connection", value: "close")
        if let json {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: json))
        }
        let response = try await HTTPClient.shared.execute(request, timeout: timeout)
        let body = try await response.body.collect(upTo: 8 << 20)
        return Answer(status: Int(response.status.code), text: String(buffer: body))
    }

    /// The sum of a metric's values, of all labels that `label` occurs in.
    func metric(_ name: String, _ label: String = "") async throws -> Int {
        try await get("/metrics").text.split(separator: "\n").reduce(0) { sum, line in
            guard line.hasPrefix(name), label.isEmpty || line.contains(label),
                let value = line.split(separator: " ").last
            else {
                return sum
            }
            return sum + (Int(value) ?? 0)
        }
    }

    // MARK: What it takes

    var residentBytes: Int { resources.bytes }
    var processorSeconds: Double { resources.processorSeconds }
    private var resources: ProcessResources { ProcessResources([pid].compactMap(\.self)) }

    var openFiles: Int {
        guard let pid else { return 0 }
        return (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count) ?? 0
    }

    private var pid: Int32? { process.withLock { $0?.pid } }

    /// The one built with optimisation, where `CHAOS_GATEWAY` names it: thousands of clients are too many for the other one.
    private static let executable =
        ProcessInfo.processInfo.environment["CHAOS_GATEWAY"] ?? builtExecutable("gateway")
}

/// One of the same build as this test program.
func builtExecutable(_ name: String) -> String {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent(name).path
}

/// Something did not happen in its time.
struct Overdue: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Looks again and again until `condition` holds.
func eventually(
    _ what: @autoclosure () -> String, within limit: Duration, _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw Overdue("not within \(limit): \(what())") }
        try await Task.sleep(for: .milliseconds(20))
    }
}
