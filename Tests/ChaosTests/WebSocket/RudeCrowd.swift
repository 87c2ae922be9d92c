import Foundation
import TestSupport

/// Sockets that misbehave, in processes of their own: each may have as many files as this one.
final class RudeCrowd: Sendable {
    struct Report: CustomStringConvertible {
        private(set) var values: [String: Int] = [:]

        subscript(name: String) -> Int { values[name] ?? 0 }

        mutating func add(_ text: String) {
            for pair in text.split(separator: " ") {
                let parts = pair.split(separator: "=")
                if parts.count == 2 { values[String(parts[0]), default: 0] += Int(parts[1]) ?? 0 }
            }
        }

        var description: String {
            values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        }
    }

    let count: Int
    private let processes: [WatchedProcess]
    private let files: [String]

    /// - Parameters:
    ///   - kind: as the program `SocketCrowd` names it.
    ///   - number: of the crowd; each has source addresses of its own.
    init(_ count: Int, _ kind: String, at gateway: GatewayProcess, system: RealtimeChaosSystem, number: Int = 0) throws
    {
        self.count = count
        // Two at least, so that neither needs as many files as the gateway.
        let shares = [count / 2, count - count / 2]
        let directory = system.server.directory
        let files = shares.indices.map { directory.appendingPathComponent("\(kind)-\(number)-\($0).report").path }
        self.files = files
        processes = try shares.indices.map { share in
            try WatchedProcess(
                [
                    builtExecutable("SocketCrowd"), "\(gateway.port)", "\(shares[share])", kind,
                    "127.0.1.\(1 + number * 2 + share)", files[share],
                ], environment: ["CROWD_TOKEN": system.tokens[RealtimeChaosSystem.admin] ?? ""])
        }
    }

    var report: Report {
        var report = Report()
        for file in files { report.add((try? String(contentsOfFile: file, encoding: .utf8)) ?? "") }
        return report
    }

    /// Returns when each has a connection, or could not get one.
    func connected(within limit: Duration = .seconds(120)) async throws {
        try await eventually("the crowd is connected: \(report)", within: limit) {
            let report = report
            return report["established"] + report["failed"] == count
        }
    }

    func end() {
        for process in processes { process.end() }
    }
}
