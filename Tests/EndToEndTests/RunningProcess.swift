import Foundation
import Synchronization

/// A real executable of this build, with its output collected. Killed when the value goes away.
final class RunningProcess: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private final class Collected: Sendable {
        let text = Mutex("")

        /// Takes over what arrives at `handle` until its end.
        func follow(_ handle: FileHandle) {
            handle.readabilityHandler = { handle in
                let data = handle.availableData
                if data.isEmpty { handle.readabilityHandler = nil }
                self.text.withLock { $0 += String(decoding: data, as: UTF8.self) }
            }
        }
    }

    private let process: Mutex<Process>
    private let collectedOutput = Collected()
    private let collectedErrors = Collected()

    /// - Parameters:
    ///   - name: the executable's, in the folder of the test bundle; or its absolute path.
    ///   - directory: where it runs; where this process does when nil.
    init(
        _ name: String, _ arguments: [String], environment: [String: String] = [:], directory: URL? = nil
    ) throws {
        let process = Process()
        process.executableURL =
            name.hasPrefix("/") ? URL(fileURLWithPath: name) : Self.folder.appendingPathComponent(name)
        if let directory { process.currentDirectoryURL = directory }
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        let output = Pipe()
        let errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        self.process = Mutex(process)
        collectedOutput.follow(output.fileHandleForReading)
        collectedErrors.follow(errors.fileHandleForReading)
        try self.process.withLock { try $0.run() }
    }

    deinit {
        if isRunning { kill(pid, SIGKILL) }
    }

    /// Where this test program and the executables of the same build are.
    static var folder: URL {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: own).deletingLastPathComponent()
    }

    var pid: pid_t { process.withLock { $0.processIdentifier } }
    var isRunning: Bool { process.withLock { $0.isRunning } }
    var output: String { collectedOutput.text.withLock { $0 } }
    var errors: String { collectedErrors.text.withLock { $0 } }

    func send(_ signal: Int32) {
        kill(pid, signal)
    }

    /// - Returns: the exit status, or 128 and the signal.
    func end(within seconds: Double) async throws -> Int32 {
        try await eventually("\(pid) ends", within: seconds) { !self.isRunning }
        return process.withLock { $0.terminationReason == .exit ? $0.terminationStatus : 128 + $0.terminationStatus }
    }
}

/// Looks again and again until `condition` holds.
func eventually(_ what: String, within seconds: Double, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .milliseconds(Int(seconds * 1000))
    while try await !condition() {
        guard ContinuousClock.now < deadline else {
            throw RunningProcess.Failure(description: "not within \(seconds) s: \(what)")
        }
        try await Task.sleep(for: .milliseconds(20))
    }
}
