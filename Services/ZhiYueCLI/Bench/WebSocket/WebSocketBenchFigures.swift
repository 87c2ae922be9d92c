/// What `WebSocketBench` found. Parts that were not measured are left out of the JSON.
struct WebSocketBenchFigures: BenchFigures {
    struct Latency: Encodable, CustomStringConvertible {
        let offeredPerSecond: Int
        let p50: Double
        let p95: Double
        let p99: Double
        let max: Double

        init(offered: Int, _ report: WebSocketBenchReport) {
            offeredPerSecond = offered
            p50 = report.percentile(50)
            p95 = report.percentile(95)
            p99 = report.percentile(99)
            max = report.percentile(100)
        }

        var description: String { "p50 \(p50) ms, p95 \(p95) ms, p99 \(p99) ms, max \(max) ms" }

        enum CodingKeys: String, CodingKey {
            case offeredPerSecond = "offered_per_second"
            case p50, p95, p99, max
        }
    }

    /// A server under picows clients.
    struct Served: Encodable {
        var openedPerSecond: Double
        /// A connection.
        var residentBytes: Double
        var deliveredPerSecond: Double
        /// Of the server, a message delivered.
        var processorSeconds: Double
        var latency: Latency
        /// The same as `processorSeconds` while the latency was measured: each message is written by itself then.
        var latencyProcessorSeconds: Double
        /// Connections.
        var lost: Int

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(Int(openedPerSecond), forKey: .openedPerSecond)
            try container.encode(Int(residentBytes), forKey: .residentBytes)
            try container.encode(Int(deliveredPerSecond), forKey: .deliveredPerSecond)
            try container.encode(rounded(processorSeconds * 1e6), forKey: .processorMicroseconds)
            try container.encode(latency, forKey: .latency)
            try container.encode(rounded(latencyProcessorSeconds * 1e6), forKey: .latencyProcessorMicroseconds)
            try container.encode(lost, forKey: .lost)
        }

        enum CodingKeys: String, CodingKey {
            case openedPerSecond = "opened_per_second"
            case residentBytes = "rss_bytes_per_connection"
            case deliveredPerSecond = "delivered_per_second"
            case processorMicroseconds = "server_cpu_microseconds_per_message"
            case latency = "latency_ms"
            case latencyProcessorMicroseconds = "server_cpu_microseconds_per_message_at_10_per_second"
            case lost = "lost_connections"
        }
    }

    /// The gateway and nchan under the same clients: all rounds, and the ratios of the medians.
    struct Peer: Encodable {
        let own: [Served]
        let nchan: [Served]
        let deliveredRatio: Double
        /// Of the 99th percentiles at 10 messages a second.
        let latencyRatio: Double

        init(own: [Served], nchan: [Served]) {
            self.own = own
            self.nchan = nchan
            deliveredRatio = rounded(
                median(own.map(\.deliveredPerSecond)) / median(nchan.map(\.deliveredPerSecond)))
            latencyRatio = rounded(median(own.map(\.latency.p99)) / median(nchan.map(\.latency.p99)))
        }

        enum CodingKeys: String, CodingKey {
            case own = "zhiyue"
            case nchan
            case deliveredRatio = "delivered_ratio"
            case latencyRatio = "p99_ratio"
        }
    }

    struct Many: Encodable {
        let connections: Int
        let eventsPerSecond: Int
        let deliveredPerSecond: Int
        let lost: Int
        let latency: Latency

        enum CodingKeys: String, CodingKey {
            case connections
            case eventsPerSecond = "events_per_second"
            case deliveredPerSecond = "delivered_per_second"
            case lost
            case latency = "latency_ms"
        }
    }

    struct Storm: Encodable {
        let connections: Int
        /// From the first handshake until every client had subscribed and got all it had missed.
        let seconds: Double
        let missed: Int
        let lost: Int
        let doubled: Int
        let notRecovered: Int

        enum CodingKeys: String, CodingKey {
            case connections, seconds, missed, lost, doubled
            case notRecovered = "not_recovered"
        }
    }

    var connections: Int?
    var rssBytesPerConnection: Int?
    var openedPerSecond: Int?
    var subscribers: Int?
    var deliveredPerSecond: Int?
    var gatewayMicroseconds: Double?
    var latency: Latency?
    var peer: Peer?
    var many: Many?
    var storm: Storm?

    enum CodingKeys: String, CodingKey {
        case connections
        case rssBytesPerConnection = "rss_bytes_per_connection"
        case openedPerSecond = "opened_per_second"
        case subscribers
        case deliveredPerSecond = "delivered_per_second"
        case gatewayMicroseconds = "gateway_cpu_microseconds_per_message"
        case latency = "latency_ms"
        case peer, many, storm
    }

    func table() -> String {
        var lines: [String] = []
        func line(_ name: String, _ value: String) {
            lines.append(name + String(repeating: " ", count: Swift.max(1, 44 - name.count)) + value)
        }
        if let connections, let rssBytesPerConnection, let openedPerSecond {
            line("Idle connections", "\(connections), opened at \(openedPerSecond)/s")
            line("Resident memory of the gateway for each", "\(rssBytesPerConnection) bytes")
        }
        if let subscribers, let deliveredPerSecond, let gatewayMicroseconds {
            line("Messages to \(subscribers) subscribers of one exam", "\(deliveredPerSecond)/s")
            line("Processor time of the gateway for each", "\(gatewayMicroseconds) µs")
        }
        if let latency { line("Latency at \(latency.offeredPerSecond) events/s", latency.description) }
        if let peer {
            for (name, rounds) in [("The gateway", peer.own), ("nchan", peer.nchan)] {
                for served in rounds {
                    line(
                        "\(name) with picows clients",
                        """
                        \(Int(served.deliveredPerSecond)) messages/s, at 10/s p99 \(served.latency.p99) ms, \
                        \(Int(served.residentBytes)) bytes a connection
                        """)
                }
            }
            line("Ratio of the medians", "messages/s \(peer.deliveredRatio), p99 \(peer.latencyRatio)")
        }
        if let many {
            line(
                "\(many.connections) connections, \(many.eventsPerSecond) events/s",
                "\(many.deliveredPerSecond) messages/s, \(many.lost) lost, \(many.latency)")
        }
        if let storm {
            line(
                "\(storm.connections) clients back with \(storm.missed) missed messages",
                "in \(storm.seconds) s, \(storm.lost) lost, \(storm.doubled) twice, \(storm.notRecovered) not recovered"
            )
        }
        return lines.joined(separator: "\n")
    }
}
