internal import Domain
internal import EventBus
internal import Glibc
internal import Logging
internal import Redis

/// One run of the bench: the connections, and what its parts share.
struct EventsBenchRun: Sendable {
    let options: EventsBench
    let server: BenchServer
    let client: RedisClient
    let bus: EventBus
    let events: EventsBenchEvents

    init(options: EventsBench, server: BenchServer) async throws {
        self.options = options
        self.server = server
        client = try Self.client(url: server.url)
        bus = Self.bus(client)
        events = EventsBenchEvents(bytes: options.bytes, source: bus.source)
        // Rewrites of the append-only file would disturb some rounds and not others.
        _ = try await client.send(["CONFIG", "SET", "auto-aof-rewrite-percentage", 0])
    }

    static func client(url: String) throws -> RedisClient {
        RedisClient(configuration: try RedisConfiguration(url: url), logger: silent)
    }

    static func bus(_ client: RedisClient) -> EventBus {
        EventBus(client: client, keys: RedisKeys(), configuration: EventBusConfiguration(), source: "/zhiyue/bench")
    }

    static var silent: Logger { Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() } }

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

    func close() async {
        await client.close()
    }

    func progress(_ text: String) {
        if !options.json { writeError(text) }
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
        try await bus.prepare()
    }

    /// A number of `INFO`; 0 when there is none of that name.
    func info(_ section: String, _ name: String) async throws -> Double {
        let text = try await client.send(["INFO", section]).string ?? ""
        let line = text.split(separator: "\r\n").first { $0.hasPrefix("\(name):") }
        return line.flatMap { Double($0.dropFirst(name.utf8.count + 1)) } ?? 0
    }

    /// Runs `load` and measures its time and the CPU time it took.
    func timed(_ load: () async throws -> Int) async throws -> EventsBenchFigures.Rate {
        let server = try await serverSeconds()
        let own = Self.ownSeconds()
        let start = ContinuousClock.now
        let count = try await load()
        let seconds = start.duration(to: .now) / .seconds(1)
        let ownUsed = Self.ownSeconds() - own
        return EventsBenchFigures.Rate(
            perSecond: Double(count) / seconds, clientMicroseconds: ownUsed / Double(count) * 1e6,
            serverMicroseconds: (try await serverSeconds() - server) / Double(count) * 1e6)
    }

    private func serverSeconds() async throws -> Double {
        try await info("cpu", "used_cpu_user") + info("cpu", "used_cpu_sys")
    }

    private static func ownSeconds() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
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
