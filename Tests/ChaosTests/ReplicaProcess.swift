import ChaosWorkload
import Foundation
import Synchronization
import TestSupport

/// A replica in a process of its own, behind a network of its own.
final class ReplicaProcess: Sendable {
    let options: ReplicaOptions
    let network: FreezingProxy
    private let environment: [String: String]
    private let process = Mutex<WatchedProcess?>(nil)

    /// - Parameter clockShift: How wrong its wall clock is, in seconds.
    init(server: RedisServer, group: String, name: String, timing: ChaosTiming, clockShift: Int) async throws {
        network = try await FreezingProxy(
            server: server.socketPath, listeningAt: server.directory.appendingPathComponent("\(name).sock").path)
        options = ReplicaOptions(
            redis: network.url, group: group, name: name, timing: timing,
            reportFile: server.directory.appendingPathComponent("\(name).started").path)
        environment = ["CLOCK_SHIFT_SECONDS": "\(clockShift)"]
        try start()
    }

    var name: String { options.name }

    func start() throws {
        unlink(options.reportFile)
        let arguments = [Self.executable, try options.json]
        // `CHAOS_LOGS=DIR` keeps what the replicas log.
        let log = ProcessInfo.processInfo.environment["CHAOS_LOGS"].map { "\($0)/\(name).log" }
        let started = try WatchedProcess(arguments, environment: environment, errorFile: log ?? "/dev/null")
        process.withLock { $0 = started }
    }

    /// How it ended; nil while it runs.
    var exitStatus: Int32? { process.withLock { $0?.exitStatus } }

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
        while reportedTime == nil { try await Task.sleep(for: .milliseconds(5)) }
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
