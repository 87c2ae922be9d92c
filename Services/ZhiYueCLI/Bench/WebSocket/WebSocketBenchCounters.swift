/// What the clients of one event loop have seen. Used on that event loop.
final class WebSocketBenchCounters {
    /// Tenths of a millisecond; what takes longer is in the last one.
    static let slots = 100_000

    var opened = 0
    var subscribed = 0
    var notRecovered = 0
    var closed = 0
    var failed = 0
    var events = 0
    var bytes = 0
    /// Arrivals that were not the next one of their connection and exam.
    var outOfOrder = 0
    var latencies = [UInt32](repeating: 0, count: slots)

    /// Begins again.
    func clear() {
        (subscribed, notRecovered, closed, failed, events, bytes, outOfOrder) = (0, 0, 0, 0, 0, 0, 0)
        opened = 0
        latencies = [UInt32](repeating: 0, count: Self.slots)
    }

    func record(nanoseconds: UInt64) {
        latencies[min(Self.slots - 1, Int(nanoseconds / 100_000))] += 1
    }
}

/// The same of all event loops of a process, as it is told to the bench.
struct WebSocketBenchReport: Codable, Sendable {
    var opened = 0
    var subscribed = 0
    var notRecovered = 0
    var closed = 0
    var failed = 0
    var events = 0
    var bytes = 0
    var outOfOrder = 0
    /// Slot and count, of those that are not empty.
    var latencies: [[Int]] = []

    init() {}

    mutating func add(_ counters: WebSocketBenchCounters) {
        opened += counters.opened
        subscribed += counters.subscribed
        notRecovered += counters.notRecovered
        closed += counters.closed
        failed += counters.failed
        events += counters.events
        bytes += counters.bytes
        outOfOrder += counters.outOfOrder
        for (slot, count) in counters.latencies.enumerated() where count > 0 { latencies.append([slot, Int(count)]) }
    }

    mutating func add(_ other: WebSocketBenchReport) {
        opened += other.opened
        subscribed += other.subscribed
        notRecovered += other.notRecovered
        closed += other.closed
        failed += other.failed
        events += other.events
        bytes += other.bytes
        outOfOrder += other.outOfOrder
        latencies += other.latencies
    }

    /// Milliseconds below which `percent` of the arrivals are.
    func percentile(_ percent: Double) -> Double {
        let sorted = latencies.sorted { $0[0] < $1[0] }
        let total = sorted.reduce(0) { $0 + $1[1] }
        var left = Int((percent / 100 * Double(total)).rounded(.up))
        for entry in sorted {
            left -= entry[1]
            if left <= 0 { return Double(entry[0] + 1) / 10 }
        }
        return 0
    }
}
