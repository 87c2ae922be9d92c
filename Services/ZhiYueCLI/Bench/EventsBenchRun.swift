internal import Domain
internal import EventBus
internal import Redis

/// One run of the bench: the connections, and what its parts share.
struct EventsBenchRun: Sendable {
    let options: EventsBench
    let server: BenchServer
    let client: RedisClient
    let meter: LoadMeter
    let bus: EventBus
    let events: EventsBenchEvents

    init(options: EventsBench, server: BenchServer, client: RedisClient) {
        self.options = options
        self.server = server
        self.client = client
        meter = LoadMeter(client: client)
        bus = Self.bus(client)
        events = EventsBenchEvents(bytes: options.bytes, source: bus.source)
    }

    static func bus(_ client: RedisClient) -> EventBus {
        EventBus(client: client, keys: RedisKeys(), configuration: EventBusConfiguration(), source: "/zhiyue/bench")
    }

    func measure() async throws -> EventsBenchFigures {
        var figures = EventsBenchFigures()
        if options.parts.contains(.publish) { try await measurePublishing(&figures) }
        if options.parts.contains(.deliver) { try await measureDelivery(&figures) }
        if options.parts.contains(.backlog) { try await measureBacklog(&figures) }
        if options.parts.contains(.latency) { try await measureLatency(&figures) }
        if options.parts.contains(.replicas) { try await measureReplicas(&figures) }
        if options.parts.contains(.rebalancing) { try await measureRebalancing(&figures) }
        return figures
    }

    func progress(_ text: String) {
        if !options.json { writeError(text) }
    }

    /// Empties Redis and its append-only file.
    func clear() async throws {
        try await meter.clear()
        try await bus.prepare()
    }

    /// `options.callers` publishers, each one event after the other, until `count` are published.
    func publish(count: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<options.callers {
                group.addTask(executorPreference: client.taskExecutor) {
                    for index in stride(from: caller, to: count, by: options.callers) {
                        try await bus.publish(events.make(index))
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
