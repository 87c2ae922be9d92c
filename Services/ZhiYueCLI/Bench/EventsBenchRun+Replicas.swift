internal import ArgumentParser
internal import Domain
internal import EventBus
internal import Glibc
internal import Redis
internal import ServiceLifecycle
internal import UnixSignals

extension EventsBenchRun {
    /// A backlog shared by replicas, each a process of its own. They own their partitions before there is a backlog, and
    /// may not read until all of it is there; the time begins with their first read.
    func measureReplicas(_ figures: inout EventsBenchFigures) async throws {
        for replicas in [1, 2, 4] {
            try await clear()
            _ = try await client.send(["ACL", "SETUSER", Self.user, "on", ">\(Self.user)", "~*", "&*", "+@all"])
            let processes = try (0..<replicas).map { try replica($0) }
            let rate = try await server.with(processes) {
                try await waitUntilShared(by: replicas)
                _ = try await client.send(["ACL", "SETUSER", Self.user, "-xreadgroup"])
                try await publish(count: options.events)
                let before = try await entriesRead()
                _ = try await client.send(["ACL", "SETUSER", Self.user, "+xreadgroup"])
                while try await entriesRead() == before { try await Task.sleep(for: .milliseconds(1)) }
                return try await meter.timed {
                    try await waitUntilAcknowledged(count: options.events)
                    return options.events - before
                }
            }
            progress("\(replicas) replicas: \(rate)")
            figures.addReplicas(replicas, rate)
        }
    }

    /// How long partitions are without their new owner when a replica comes, leaves or is killed, without load: from
    /// the start of its process, or the signal to it, until every partition has the owner it should. The longest of
    /// all rounds counts.
    func measureRebalancing(_ figures: inout EventsBenchFigures) async throws {
        try await clear()
        _ = try await client.send(["ACL", "SETUSER", Self.user, "on", ">\(Self.user)", "~*", "&*", "+@all"])
        let times = try await withThrowingTaskGroup(of: Void.self) { group in
            var processes: [ChildProcess] = []
            defer { for process in processes { process.send(SIGKILL) } }
            func start() throws -> ChildProcess {
                let process = try replica(processes.count)
                processes.append(process)
                group.addTask { _ = try await process.run() }
                return process
            }
            func seconds(until replicas: Int) async throws -> Double {
                let start = ContinuousClock.now
                try await waitUntilShared(by: replicas)
                return start.duration(to: .now) / .seconds(1)
            }
            _ = try start()
            try await waitUntilShared(by: 1)
            var times = EventsBenchFigures.Rebalancing()
            for round in 1...options.rounds {
                for signal in [SIGTERM, SIGKILL] {
                    let other = try start()
                    times.joined = max(times.joined, try await seconds(until: 2))
                    // Past the first beats, as a replica that has run for a while.
                    try await Task.sleep(for: .seconds(1))
                    other.send(signal)
                    let taken = try await seconds(until: 1)
                    if signal == SIGTERM {
                        times.left = max(times.left, taken)
                    } else {
                        times.killed = max(times.killed, taken)
                    }
                }
                progress("round \(round) of \(options.rounds): rebalancing at most \(times)")
            }
            return times
        }
        figures.rebalancing = times
    }

    private static let user = "replica"

    private func replica(_ number: Int) throws -> ChildProcess {
        let url = "unix://\(Self.user):\(Self.user)@" + server.url.dropFirst("unix://".count)
        let name = "replica-\(number)"
        return try server.process(name, ["events-replica", "--url", url, "--replica", name])
    }

    /// Waits until each replica owns its share.
    private func waitUntilShared(by replicas: Int) async throws {
        let partitions = 0..<bus.configuration.partitions
        for _ in 0..<3000 {
            let owners = try await client.pipeline(
                partitions.map { ["GET", bus.keys.owner($0, group: EventsBenchReplica.group)] })
            let shares = Dictionary(grouping: owners.compactMap(\.string)) { $0.prefix { $0 != " " } }
            let isShared =
                shares.count == replicas && shares.values.allSatisfy { $0.count == partitions.count / replicas }
            if isShared { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw CommandFailure("\(replicas) replicas do not share the partitions")
    }

    private func entriesRead() async throws -> Int {
        let replies = try await client.pipeline(
            (0..<bus.configuration.partitions).map { ["XINFO", "GROUPS", bus.keys.events($0)] })
        return replies.compactMap { $0.array?.first?.fields?.first { $0.name == "entries-read" }?.value.int }
            .reduce(0, +)
    }
}

/// One of several replicas of the bench: runs until it is ended.
struct EventsBenchReplica: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events-replica", abstract: "A replica of the bench of events.", shouldDisplay: false)

    static let group = "bench"

    @Option var url: String
    @Option var replica: String

    func run() async throws {
        let client = try BenchServer.client(url: url)
        let subscriber = EventSubscriber(
            bus: EventsBenchRun.bus(client), group: Self.group, replica: replica, handlers: [TrivialHandler()],
            logger: BenchServer.silent)
        try await ServiceGroup(
            services: [subscriber], gracefulShutdownSignals: [.sigterm], logger: BenchServer.silent
        ).run()
    }
}
