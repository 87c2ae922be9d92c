import Foundation
import Logging
import Redis
import Synchronization
import TestSupport

/// Compares one `RedisClient`, used by 64 tasks, with `redis-benchmark -P 16`: the same XADD of 256 bytes on the same
/// private server, in turns, in one run. Ends with one JSON line.
@main struct RedisBenchmark {
    static let tasks = 64
    static let seconds = 3.0
    static let rounds = 3
    static let payload = String(repeating: "x", count: 256)

    static func main() async throws {
        let server = try RedisServer()
        defer { server.stop() }
        let client = RedisClient(
            configuration: try RedisConfiguration(url: server.url), logger: Logger(label: "benchmark"))
        var ours: [Figures] = []
        var theirs: [Figures] = []
        for _ in 0..<rounds {
            theirs.append(try await measure(server) { try redisBenchmark(server) })
            ours.append(try await measure(server) { try await run(client) })
            print("redis-benchmark \(theirs[theirs.count - 1])\nclient          \(ours[ours.count - 1])")
        }
        await client.close()
        let ratio = median(ours.map(\.rate)) / median(theirs.map(\.rate))
        print(
            """
            {"client_per_second":\(Int(median(ours.map(\.rate)))),\
            "redis_benchmark_per_second":\(Int(median(theirs.map(\.rate)))),\
            "ratio":\(rounded(ratio, 100)),\
            "client_cpu_microseconds":\(rounded(median(ours.map(\.clientMicroseconds)), 100)),\
            "server_cpu_microseconds":\(rounded(median(ours.map(\.serverMicroseconds)), 100)),\
            "commands_per_write":\(rounded(median(ours.map(\.batch)), 10))}
            """)
    }

    struct Figures: CustomStringConvertible {
        let rate: Double
        /// Of this process, for each command.
        let clientMicroseconds: Double
        let serverMicroseconds: Double
        /// Commands the server got with one read.
        let batch: Double

        var description: String {
            "\(Int(rate))/s, \(rounded(clientMicroseconds, 100)) µs of this process, "
                + "\(rounded(serverMicroseconds, 100)) µs of the server, \(rounded(batch, 10)) commands a read"
        }
    }

    private static func measure(
        _ server: RedisServer, _ load: () async throws -> (count: Int, seconds: Double)
    ) async throws -> Figures {
        try server.flush()
        let reads = try figure("total_reads_processed", server)
        let serverCPU = try figure("used_cpu_user", server) + figure("used_cpu_sys", server)
        let clientCPU = cpuSeconds()
        let (count, seconds) = try await load()
        let commands = Double(count)
        return Figures(
            rate: commands / seconds, clientMicroseconds: (cpuSeconds() - clientCPU) / commands * 1e6,
            serverMicroseconds: (try figure("used_cpu_user", server) + figure("used_cpu_sys", server) - serverCPU)
                / commands * 1e6,
            batch: commands / (try figure("total_reads_processed", server) - reads))
    }

    /// A number of `INFO`.
    private static func figure(_ name: String, _ server: RedisServer) throws -> Double {
        let line = try server.command("INFO everything").split(separator: "\r\n").first { $0.hasPrefix("\(name):") }
        return line.flatMap { Double($0.dropFirst(name.utf8.count + 1)) } ?? .nan
    }

    private static func rounded(_ value: Double, _ parts: Double) -> Double {
        (value * parts).rounded() / parts
    }

    private static func run(_ client: RedisClient) async throws -> (count: Int, seconds: Double) {
        let start = ContinuousClock.now
        let end = start + .seconds(seconds)
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<tasks {
                group.addTask(executorPreference: CommandLine.arguments.count > 1 ? client.taskExecutor : nil) {
                    var count = 0
                    while ContinuousClock.now < end {
                        _ = try await client.send(RedisCommand("XADD", "stream", "*", "data", payload))
                        count += 1
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        let elapsed = ContinuousClock.now - start
        return (count, Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18)
    }

    private static func redisBenchmark(_ server: RedisServer) throws -> (count: Int, seconds: Double) {
        let count = 400_000
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "redis-benchmark", "-s", server.socketPath, "-P", "16", "-n", "\(count)", "--csv",
            "XADD", "stream", "*", "data", payload,
        ]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        // "test","rps",… then the figures, all quoted.
        let fields = text.split(separator: "\n").last?.components(separatedBy: "\",\"") ?? []
        guard fields.count > 1, let rate = Double(fields[1]) else { throw RedisServer.Failure(description: text) }
        return (count, Double(count) / rate)
    }

    private static func cpuSeconds() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
    }

    private static func median(_ values: [Double]) -> Double {
        values.sorted()[values.count / 2]
    }
}
