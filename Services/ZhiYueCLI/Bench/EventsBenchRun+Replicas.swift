internal import ArgumentParser
internal import Domain
internal import EventBus
internal import FoundationEssentials
internal import Glibc
internal import Redis

extension EventsBenchRun {
    /// A backlog shared by replicas, each a process of its own. They own their partitions, and hold the first events
    /// of the backlog back, when the time begins; those are not counted.
    func measureReplicas(_ figures: inout EventsBenchFigures) async throws {
        for replicas in [1, 2, 4] {
            try await clear()
            let processes = try (0..<replicas).map { try replica($0) }
            let rate = try await withThrowingTaskGroup(of: Void.self) { group in
                for process in processes { group.addTask { _ = try await process.run() } }
                try await waitUntilShared(by: replicas)
                try await publish(count: options.events)
                let before = try await entriesRead()
                _ = try await client.send(["SET", EventsBenchReplica.gate, 1])
                let rate = try await timed {
                    try await waitUntilAcknowledged(count: options.events)
                    return options.events - before
                }
                for process in processes { process.send(SIGKILL) }
                try await group.waitForAll()
                return rate
            }
            progress("\(replicas) replicas: \(Int(rate.perSecond)) events a second")
            figures.addReplicas(replicas, rate)
        }
    }

    private func replica(_ number: Int) throws -> ChildProcess {
        let log = try ChildLog(name: "replica-\(number)", directory: server.path, showsWarnings: true)
        return ChildProcess(
            ChildProcess.Launch(
                executable: try OwnExecutable.path(),
                arguments: ["bench", "events-replica", "--url", server.url, "--replica", "replica-\(number)"],
                environment: ProcessInfo.processInfo.environment), log: log)
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

/// One of several replicas of the bench: runs until it is killed.
struct EventsBenchReplica: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events-replica", abstract: "A replica of the bench of events.", shouldDisplay: false)

    static let group = "bench"
    /// Handlers wait until this key exists.
    static let gate = "bench:gate"

    @Option var url: String
    @Option var replica: String

    func run() async throws {
        let client = try EventsBenchRun.client(url: url)
        let subscriber = EventSubscriber(
            bus: EventsBenchRun.bus(client), group: Self.group, replica: replica, handlers: [GatedHandler(client)],
            logger: EventsBenchRun.silent)
        try await subscriber.run()
    }
}

private final class GatedHandler: EventHandler {
    let name = "gated"
    let eventTypes: Set<EventType> = []
    private let gate: Task<Void, any Error>

    init(_ client: RedisClient) {
        // All handlers wait for the one task.
        gate = Task {
            while try await client.send(["EXISTS", EventsBenchReplica.gate]).int != 1 {
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    func handle(_ event: StoredEvent, context: HandlingContext) async throws {
        try await gate.value
    }
}
