import ChaosWorkload
import Foundation
import Synchronization
import TestSupport

/// A replica in a process of its own, behind a network of its own.
final class ReplicaProcess: Sendable {
    let options: ReplicaOptions
    let network: FreezingProxy
    /// What it writes to standard error.
    let logFile: String
    private let environment: [String: String]
    private let process = Mutex<WatchedProcess?>(nil)

    /// - Parameter clockShift: How wrong its wall clock is, in seconds.
    init(
        server: RedisServer, role: ReplicaOptions.Role, name: String, timing: ChaosTiming, clockShift: Int = 0
    ) async throws {
        let directory = server.directory
        network = try await FreezingProxy(
            server: server.socketPath, listeningAt: directory.appendingPathComponent("\(name).sock").path)
        options = ReplicaOptions(
            redis: network.url, name: name, role: role, timing: timing,
            reportFile: directory.appendingPathComponent("\(name).started").path)
        environment = ["CLOCK_SHIFT_SECONDS": "\(clockShift)"]
        // `CHAOS_LOGS=DIR` keeps what the replicas log.
        let logs = ProcessInfo.processInfo.environment["CHAOS_LOGS"] ?? directory.path
        logFile = "\(logs)/\(name).log"
        try start()
    }

    var name: String { options.name }

    func start() throws {
        unlink(options.reportFile)
        let started = try WatchedProcess(
            [Self.executable, try options.json], environment: environment, errorFile: logFile)
        process.withLock { $0 = started }
    }

    /// How it ended; nil while it runs.
    var exitStatus: Int32? { process.withLock { $0?.exitStatus } }

    /// What to say of a replica that ended although nobody ended it; nil while it runs.
    var untimelyEnd: String? {
        guard let status = exitStatus else { return nil }
        let log = (try? String(contentsOfFile: logFile, encoding: .utf8)) ?? ""
        return "\(name) ended by itself with status \(status): \(log.suffix(2000))"
    }

    func kill() {
        process.withLock { $0?.end() }
    }

    func signal(_ number: Int32) {
        process.withLock { $0?.signal(number) }
    }

    /// What it took for the time when it started, in milliseconds since 1970; nil before.
    var reportedTime: Int? {
        (try? String(contentsOfFile: options.reportFile, encoding: .utf8)).flatMap { Int($0) }
    }

    /// Asks it to go and waits until it has gone.
    ///
    /// - Returns: its exit status.
    func leave() async throws -> Int32 {
        // Before that, SIGTERM would end it as SIGKILL does.
        while reportedTime == nil, exitStatus == nil { try await Task.sleep(for: .milliseconds(5)) }
        signal(SIGTERM)
        while true {
            if let status = exitStatus { return status }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private static let executable: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("ChaosReplica").path
    }()
}
