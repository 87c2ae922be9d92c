internal import Redis
internal import ServiceKit

/// A load's rate and what an item of it costs.
struct BenchRate: Sendable, CustomStringConvertible {
    let perSecond: Double
    /// CPU time of this process for an item.
    let clientMicroseconds: Double
    /// CPU time of Redis for an item.
    let serverMicroseconds: Double

    var description: String {
        "\(Int(perSecond))/s (CPU µs: client \(rounded(clientMicroseconds)), server \(rounded(serverMicroseconds)))"
    }
}

/// Measures loads on one Redis.
struct LoadMeter: Sendable {
    let client: RedisClient

    /// Runs `load`, which returns a number of items, and measures its time and the CPU time it took.
    func timed(_ load: () async throws -> Int) async throws -> BenchRate {
        let server = try await serverSeconds()
        let own = ProcessFigures.processorSeconds
        let start = ContinuousClock.now
        let count = try await load()
        let seconds = start.duration(to: .now) / .seconds(1)
        let ownUsed = ProcessFigures.processorSeconds - own
        return BenchRate(
            perSecond: Double(count) / seconds, clientMicroseconds: ownUsed / Double(count) * 1e6,
            serverMicroseconds: (try await serverSeconds() - server) / Double(count) * 1e6)
    }

    /// Empties Redis and its append-only file.
    func clear() async throws {
        _ = try await client.send(["FLUSHALL"])
        _ = try await client.send(["BGREWRITEAOF"])
        while try await info("persistence", "aof_rewrite_in_progress") + info("persistence", "aof_rewrite_scheduled")
            > 0
        {
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// A number of `INFO`; 0 when there is none of that name.
    func info(_ section: String, _ name: String) async throws -> Double {
        let text = try await client.send(["INFO", section]).string ?? ""
        let line = text.split(separator: "\r\n").first { $0.hasPrefix("\(name):") }
        return line.flatMap { Double($0.dropFirst(name.utf8.count + 1)) } ?? 0
    }

    private func serverSeconds() async throws -> Double {
        try await info("cpu", "used_cpu_user") + info("cpu", "used_cpu_sys")
    }
}

/// By rate.
func median(_ rates: [BenchRate]) -> BenchRate {
    rates.sorted { $0.perSecond < $1.perSecond }[rates.count / 2]
}

/// The value below which `percent` of `sorted` are; 0 when there are none.
func percentile(_ percent: Double, of sorted: [Double]) -> Double {
    let rank = Int((percent / 100 * Double(sorted.count)).rounded(.up))
    return sorted.isEmpty ? 0 : rounded(sorted[max(0, rank - 1)])
}

func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }

/// - Precondition: there is one value at least.
func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}
