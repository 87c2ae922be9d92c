internal import Domain
internal import EventBus
internal import FoundationEssentials
internal import ServiceKit

/// The gateway and nginx with nchan under the same clients, in turn.
extension WebSocketBenchRun {
    /// Messages under way at a time.
    private static let window = 8

    /// What there is to run the part with.
    struct PeerTools {
        /// The folder of picows and uvloop.
        let packages: String

        init(_ options: WebSocketBench) throws {
            packages = options.packages
            guard FileManager.default.fileExists(atPath: "\(packages)/picows") else {
                throw CommandFailure(
                    "there is no picows in \(packages). `deploy/tools/deps.sh --bench` installs what is needed")
            }
            _ = try NchanServer.files()
        }
    }

    func measurePeer(_ figures: inout WebSocketBenchFigures, _ tools: PeerTools) async throws {
        var own: [WebSocketBenchFigures.Served] = []
        var peer: [WebSocketBenchFigures.Served] = []
        for round in 1...options.rounds {
            progress("picows clients, round \(round) of \(options.rounds): nchan, then the gateway")
            peer.append(try await measureNchan(tools))
            own.append(try await measureGateway(tools))
        }
        figures.peer = WebSocketBenchFigures.Peer(own: own, nchan: peer)
    }

    private func measureNchan(_ tools: PeerTools) async throws -> WebSocketBenchFigures.Served {
        let nchan = try NchanServer(server)
        return try await server.with([nchan.process]) {
            try await nchan.waitUntilReady()
            let clients = try PicowsClients(
                server, name: "nchan", packages: tools.packages, url: nchan.url, connections: options.subscribers)
            return try await serve(
                clients, resources: { ProcessResources(nchan.identifiers) },
                publish: {
                    try await nchan.publish(String(decoding: events.data(due: EventsBenchEvents.now()), as: UTF8.self))
                })
        }
    }

    private func measureGateway(_ tools: PeerTools) async throws -> WebSocketBenchFigures.Served {
        try await result { gateway in
            let clients = try PicowsClients(
                server, name: "gateway", packages: tools.packages, url: "ws://127.0.0.1:\(gateway.port)/ws",
                connections: options.subscribers,
                firstMessage: #"{"type":"subscribe","id":"s","connection_type":"progress","exam_ids":["bench-0"]}"#,
                subprotocols: ["zhiyue.v1", "bearer.\(gateway.token)"])
            return try await serve(
                clients, resources: { ProcessResources([gateway.process.identifier].compactMap(\.self)) },
                publish: { try await bus.publish(events.make(exam: 0, due: EventsBenchEvents.now())) })
        }
    }

    private func serve(
        _ clients: PicowsClients, resources: () -> ProcessResources,
        publish: @escaping @Sendable () async throws -> Void
    ) async throws -> WebSocketBenchFigures.Served {
        let before = resources()
        return try await server.with(clients.processes) {
            let start = ContinuousClock.now
            try await clients.wait("connecting") { clients.open >= clients.connections }
            let opening = start.duration(to: .now) / .seconds(1)
            // Until a message comes to everybody, everybody has subscribed.
            var warm = 0
            while clients.messages < warm || warm == 0 {
                warm = clients.messages + clients.connections
                try await publish()
                try? await clients.wait("warming up", patience: .seconds(1)) { clients.messages >= warm }
            }
            try await Task.sleep(for: .seconds(1))
            let idle = resources()
            let delivered = clients.messages
            let latency = try await pace(clients, publish)
            let paced = resources()
            let pacedSeconds = paced.processorSeconds - idle.processorSeconds
            let pacedMessages = clients.messages - delivered
            try await Task.sleep(for: .seconds(1))
            let first = resources()
            let (count, seconds) = try await saturate(clients, publish)
            let last = resources()
            return WebSocketBenchFigures.Served(
                openedPerSecond: Double(clients.connections) / opening,
                residentBytes: Double(idle.bytes - before.bytes) / Double(clients.connections),
                deliveredPerSecond: Double(count) / seconds,
                processorSeconds: (last.processorSeconds - first.processorSeconds) / Double(count), latency: latency,
                latencyProcessorSeconds: pacedSeconds / Double(pacedMessages),
                lost: clients.lost)
        }
    }

    /// 10 messages a second.
    private func pace(
        _ clients: PicowsClients, _ publish: @escaping @Sendable () async throws -> Void
    ) async throws -> WebSocketBenchFigures.Latency {
        clients.measureLatency(true)
        defer { clients.measureLatency(false) }
        let before = clients.messages
        let count = Int(options.seconds * 10)
        let start = ContinuousClock.now
        for number in 0..<count {
            try await Task.sleep(until: start + .milliseconds(100 * number))
            try await publish()
        }
        try await clients.wait("delivering") { clients.messages - before >= count * clients.connections }
        return WebSocketBenchFigures.Latency(offered: 10, clients.latencies)
    }

    /// As many as the clients take, a few under way at any time.
    private func saturate(
        _ clients: PicowsClients, _ publish: @escaping @Sendable () async throws -> Void
    ) async throws -> (messages: Int, seconds: Double) {
        let before = clients.messages
        let start = ContinuousClock.now
        var sent = 0
        while start.duration(to: .now) < .seconds(options.seconds) {
            let least = (sent + 1 - Self.window) * clients.connections
            try await clients.wait("delivering") { clients.messages - before >= least }
            try await publish()
            sent += 1
        }
        let total = sent * clients.connections
        try await clients.wait("delivering the rest") { clients.messages - before >= total }
        return (total, start.duration(to: .now) / .seconds(1))
    }
}
