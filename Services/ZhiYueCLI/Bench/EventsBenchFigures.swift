/// What `EventsBench` found. Parts that were not measured are left out of the JSON.
struct EventsBenchFigures: BenchFigures {
    struct Latency: Encodable, Sendable, CustomStringConvertible {
        let offeredPerSecond: Int
        let p50: Double
        let p95: Double
        let p99: Double
        let max: Double

        /// - Parameter milliseconds: sorted.
        init(offered: Int, milliseconds: [Double]) {
            offeredPerSecond = offered
            p50 = percentile(50, of: milliseconds)
            p95 = percentile(95, of: milliseconds)
            p99 = percentile(99, of: milliseconds)
            max = percentile(100, of: milliseconds)
        }

        var description: String { "p50 \(p50) ms, p95 \(p95) ms, p99 \(p99) ms, max \(max) ms" }

        enum CodingKeys: String, CodingKey {
            case offeredPerSecond = "offered_per_second"
            case p50, p95, p99, max
        }
    }

    struct CPU: Encodable {
        var publishClient: Double?
        var publishServer: Double?
        var ceilingServer: Double?
        var deliverClient: Double?
        var deliverServer: Double?
        var backlogClient: Double?
        var backlogServer: Double?

        enum CodingKeys: String, CodingKey {
            case publishClient = "publish_client"
            case publishServer = "publish_server"
            case ceilingServer = "redis_benchmark_server"
            case deliverClient = "deliver_client"
            case deliverServer = "deliver_server"
            case backlogClient = "backlog_client"
            case backlogServer = "backlog_server"
        }
    }

    struct Replicas: Encodable {
        let replicas: Int
        let deliveredPerSecond: Int

        enum CodingKeys: String, CodingKey {
            case replicas
            case deliveredPerSecond = "delivered_per_second"
        }
    }

    /// Seconds until every partition has its new owner, the longest seen.
    struct Rebalancing: Encodable, Sendable, CustomStringConvertible {
        var joined = 0.0
        var left = 0.0
        var killed = 0.0

        var description: String {
            "joined \(rounded(joined)) s, left \(rounded(left)) s, killed \(rounded(killed)) s"
        }
    }

    private var publishPerSecond: Int?
    private var ceilingPerSecond: Int?
    private var publishRatio: Double?
    private var deliveredPerSecond: Int?
    private var deliveredRatio: Double?
    private var backlogPerSecond: Int?
    private var backlogEvents: Int?
    private var latency: Latency?
    private var latencyAtLowRate: Latency?
    private var replicas: [Replicas]?
    var rebalancing: Rebalancing?
    private var cpu = CPU()

    enum CodingKeys: String, CodingKey {
        case publishPerSecond = "publish_per_second"
        case ceilingPerSecond = "redis_ceiling_per_second"
        case publishRatio = "publish_ratio"
        case deliveredPerSecond = "delivered_per_second"
        case deliveredRatio = "delivered_ratio"
        case backlogPerSecond = "backlog_per_second"
        case backlogEvents = "backlog_events"
        case latency = "latency_ms"
        case latencyAtLowRate = "latency_ms_low_rate"
        case replicas
        case rebalancing = "rebalancing_seconds"
        case cpu = "cpu_microseconds_per_event"
    }

    mutating func setPublishing(rates: [BenchRate], ceilings: [BenchRate]) {
        let rate = median(rates)
        let ceiling = median(ceilings)
        publishPerSecond = Int(rate.perSecond)
        ceilingPerSecond = Int(ceiling.perSecond)
        // Of each round, since a machine's other work changes from round to round.
        let ratios = zip(rates, ceilings).map { $0.perSecond / $1.perSecond }.sorted()
        publishRatio = rounded(ratios[ratios.count / 2])
        cpu.publishClient = rounded(rate.clientMicroseconds)
        cpu.publishServer = rounded(rate.serverMicroseconds)
        cpu.ceilingServer = rounded(ceiling.serverMicroseconds)
    }

    mutating func setDelivery(_ rates: [BenchRate]) {
        let rate = median(rates)
        deliveredPerSecond = Int(rate.perSecond)
        deliveredRatio = ceilingPerSecond.map { rounded(rate.perSecond / Double($0)) }
        cpu.deliverClient = rounded(rate.clientMicroseconds)
        cpu.deliverServer = rounded(rate.serverMicroseconds)
    }

    mutating func setBacklog(_ rates: [BenchRate], events: Int) {
        let rate = median(rates)
        backlogPerSecond = Int(rate.perSecond)
        backlogEvents = events
        cpu.backlogClient = rounded(rate.clientMicroseconds)
        cpu.backlogServer = rounded(rate.serverMicroseconds)
    }

    /// The first is the contract's.
    mutating func add(_ figure: Latency) {
        if latency == nil { latency = figure } else { latencyAtLowRate = figure }
    }

    mutating func addReplicas(_ count: Int, _ rate: BenchRate) {
        replicas = (replicas ?? []) + [Replicas(replicas: count, deliveredPerSecond: Int(rate.perSecond))]
    }

    func table() -> String {
        func line(_ name: String, _ value: String?) -> [String] {
            value.map { [name + String(repeating: " ", count: Swift.max(1, 40 - name.count)) + $0] } ?? []
        }
        func rate(_ value: Int?, _ ratio: Double? = nil) -> String? {
            value.map { "\($0)/s" + (ratio.map { " (\($0) of the ceiling)" } ?? "") }
        }
        var lines = line("Ceiling (redis-benchmark -P 16)", rate(ceilingPerSecond))
        lines += line("Published", rate(publishPerSecond, publishRatio))
        lines += line("Published, handled and acknowledged", rate(deliveredPerSecond, deliveredRatio))
        lines += line("Handled and acknowledged of a backlog", rate(backlogPerSecond))
        for figure in [latency, latencyAtLowRate].compactMap({ $0 }) {
            lines += line("Latency at \(figure.offeredPerSecond)/s", figure.description)
        }
        for figure in replicas ?? [] {
            lines += line("Backlog with \(figure.replicas) replicas", rate(figure.deliveredPerSecond))
        }
        lines += line("Partitions moved within", rebalancing?.description)
        return lines.joined(separator: "\n")
    }
}
