internal import Domain
internal import EventBus
internal import Redis
internal import ServiceKit

/// One run of the bench. Every part has a gateway of its own, so that none begins with another's memory.
struct WebSocketBenchRun: Sendable {
    let options: WebSocketBench
    let server: BenchServer
    let client: RedisClient
    let bus: EventBus
    let events: WebSocketBenchEvents

    init(options: WebSocketBench, server: BenchServer, client: RedisClient) {
        self.options = options
        self.server = server
        self.client = client
        bus = EventsBenchRun.bus(client)
        events = WebSocketBenchEvents(bytes: options.bytes)
    }

    func measure() async throws -> WebSocketBenchFigures {
        var figures = WebSocketBenchFigures()
        try await bus.prepare()
        let parts = Set(options.parts.isEmpty ? WebSocketBench.Part.allCases : options.parts)
        let tools = parts.contains(.peer) ? try peerTools() : nil
        if parts.contains(.idle) { try await measureIdle(&figures) }
        if parts.contains(.fanOut) || parts.contains(.latency) { try await measureFanOut(&figures, parts) }
        if let tools { try await measurePeer(&figures, tools) }
        if parts.contains(.many) { try await measureMany(&figures) }
        if parts.contains(.storm) { try await measureStorm(&figures) }
        return figures
    }

    /// What the part `peer` needs; nil when that is not here and not asked for.
    private func peerTools() throws -> PeerTools? {
        do {
            return try PeerTools(options)
        } catch  where options.parts.isEmpty {
            writeError("without the part peer: \(error)")
            return nil
        }
    }

    func progress(_ text: String) {
        if !options.json { writeError(text) }
    }

    // MARK: Idle

    private func measureIdle(_ figures: inout WebSocketBenchFigures) async throws {
        progress("\(options.connections) idle connections")
        let (opened, memory) = try await result { gateway in
            // What the first connections cost once is not counted for the others.
            let first = try WebSocketBenchCrowd(
                server, client, gateway: gateway, name: "warm", connections: 200, exams: 1000)
            try await server.with(first.processes) { _ = try await first.wait("warming up") { $0.subscribed >= 200 } }
            try await Task.sleep(for: .seconds(2))
            let before = gateway.resources.bytes
            let crowd = try WebSocketBenchCrowd(
                server, client, gateway: gateway, name: "idle", connections: options.connections, exams: 1000)
            return try await server.with(crowd.processes) {
                let start = ContinuousClock.now
                try await crowd.wait("opening") { $0.subscribed >= crowd.connections }
                let seconds = start.duration(to: .now) / .seconds(1)
                // Heartbeats have gone to everybody once or twice.
                try await Task.sleep(for: .seconds(25))
                let bytes = gateway.resources.bytes - before
                return (Double(crowd.connections) / seconds, Double(bytes) / Double(crowd.connections))
            }
        }
        figures.connections = options.connections
        figures.openedPerSecond = Int(opened)
        figures.rssBytesPerConnection = Int(memory.rounded())
    }

    func result<R: Sendable>(
        _ body: @Sendable (BenchGateway) async throws -> R
    ) async throws -> R {
        let gateway = try await BenchGateway(server)
        return try await server.with([gateway.process]) {
            try await GatewayProbe(url: gateway.url).waitUntilReady()
            return try await body(gateway)
        }
    }

    // MARK: One exam

    private func measureFanOut(
        _ figures: inout WebSocketBenchFigures, _ parts: Set<WebSocketBench.Part>
    ) async throws {
        let (rate, cost, latency) = try await result { gateway in
            let crowd = try WebSocketBenchCrowd(
                server, client, gateway: gateway, name: "fan", connections: options.subscribers, exams: 1,
                flags: ["--latency"])
            return try await server.with(crowd.processes) {
                try await crowd.wait("opening") { $0.subscribed >= crowd.connections }
                var latency: WebSocketBenchFigures.Latency?
                if parts.contains(.latency) {
                    progress("latency with \(crowd.connections) subscribers")
                    latency = try await self.latency(crowd)
                }
                guard parts.contains(.fanOut) else { return (0.0, 0.0, latency) }
                progress("fan-out to \(crowd.connections) subscribers")
                let (rate, cost) = try await fanOut(crowd, gateway)
                return (rate, cost, latency)
            }
        }
        figures.subscribers = options.subscribers
        figures.latency = latency
        if parts.contains(.fanOut) {
            figures.deliveredPerSecond = Int(rate)
            figures.gatewayMicroseconds = rounded(cost)
        }
    }

    private func latency(_ crowd: WebSocketBenchCrowd) async throws -> WebSocketBenchFigures.Latency {
        try await crowd.order(.reset)
        let count = Int(options.seconds * 10)
        try await publish(count, perSecond: 10) { _ in 0 }
        let report = try await crowd.wait("delivering") { $0.events >= count * crowd.connections }
        return WebSocketBenchFigures.Latency(offered: 10, report)
    }

    /// As many events as the clients take, never more than a few hundred on their way.
    private func fanOut(
        _ crowd: WebSocketBenchCrowd, _ gateway: BenchGateway
    ) async throws -> (perSecond: Double, microseconds: Double) {
        try await crowd.order(.reset)
        let processor = gateway.resources.processorSeconds
        let start = ContinuousClock.now
        var published = 0
        while start.duration(to: .now) < .seconds(options.seconds) {
            try await publishAtOnce(100, from: published)
            published += 100
            let least = (published - 300) * crowd.connections
            try await crowd.wait("delivering") { $0.events >= least }
        }
        let total = published * crowd.connections
        try await crowd.wait("delivering the rest") { $0.events >= total }
        let seconds = start.duration(to: .now) / .seconds(1)
        return (Double(total) / seconds, (gateway.resources.processorSeconds - processor) / Double(total) * 1e6)
    }

    private func publishAtOnce(_ count: Int, from first: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for _ in 0..<count {
                tasks.addTask { try await bus.publish(events.make(exam: 0, due: EventsBenchEvents.now())) }
            }
            try await tasks.waitForAll()
        }
    }

    /// At a steady rate, whatever becomes of them.
    private func publish(_ count: Int, perSecond: Int, exam: @Sendable (Int) -> Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            let start = ContinuousClock.now
            for number in 0..<count {
                let due = start + .nanoseconds(Int64(number) * 1_000_000_000 / Int64(perSecond))
                if due > .now { try await Task.sleep(until: due) }
                let event = events.make(exam: exam(number), due: EventsBenchEvents.now())
                tasks.addTask { try await bus.publish(event) }
                if number % 1000 == 999 { for _ in 0..<900 { try await tasks.next() } }
            }
            try await tasks.waitForAll()
        }
    }

    // MARK: Many exams

    private func measureMany(_ figures: inout WebSocketBenchFigures) async throws {
        progress("\(options.many) connections on 1,000 exams, \(options.rate) events/s")
        figures.many = try await result { gateway in
            let crowd = try WebSocketBenchCrowd(
                server, client, gateway: gateway, name: "many", connections: options.many, exams: 1000,
                flags: ["--latency"])
            return try await server.with(crowd.processes) {
                try await crowd.wait("opening") { $0.subscribed >= crowd.connections }
                try await crowd.order(.reset)
                let count = Int(options.seconds * Double(options.rate))
                let start = ContinuousClock.now
                try await publish(count, perSecond: options.rate) { $0 % 1000 }
                // Each exam has the same number of subscribers, or one more.
                let expected = (0..<count).reduce(0) { total, number in
                    total + crowd.connections / 1000 + (number % 1000 < crowd.connections % 1000 ? 1 : 0)
                }
                let report = try? await crowd.wait("delivering", patience: .seconds(30)) { $0.events >= expected }
                let seconds = start.duration(to: .now) / .seconds(1)
                let final = if let report { report } else { try await crowd.report() }
                return WebSocketBenchFigures.Many(
                    connections: crowd.connections, eventsPerSecond: options.rate,
                    deliveredPerSecond: Int(Double(final.events) / seconds), lost: max(0, expected - final.events),
                    latency: .init(offered: options.rate, final))
            }
        }
    }

    // MARK: Storm

    private func measureStorm(_ figures: inout WebSocketBenchFigures) async throws {
        progress("\(options.subscribers) clients lose their connection and come back")
        figures.storm = try await result { gateway in
            let crowd = try WebSocketBenchCrowd(
                server, client, gateway: gateway, name: "storm", connections: options.subscribers, exams: 50,
                flags: ["--cursors", "--latency"])
            return try await server.with(crowd.processes) {
                try await crowd.wait("opening") { $0.subscribed >= crowd.connections }
                let missed = 20
                try await publish(50, perSecond: 1000) { $0 % 50 }
                try await crowd.wait("delivering") { $0.events >= crowd.connections }
                try await crowd.order(.drop)
                try await crowd.order(.reset)
                try await publish(50 * missed, perSecond: 2000) { $0 % 50 }
                let start = ContinuousClock.now
                let expected = missed * crowd.connections
                async let coming: Void = crowd.order(.open)
                let report = try await crowd.wait("coming back") {
                    $0.subscribed >= crowd.connections && $0.events >= expected
                }
                let seconds = start.duration(to: .now) / .seconds(1)
                try await coming
                // Whatever comes too much comes soon.
                try await Task.sleep(for: .seconds(2))
                let final = try await crowd.report()
                return WebSocketBenchFigures.Storm(
                    connections: crowd.connections, seconds: rounded(seconds), missed: expected,
                    lost: max(0, expected - report.events), doubled: max(0, final.events - expected),
                    notRecovered: final.notRecovered)
            }
        }
    }
}
