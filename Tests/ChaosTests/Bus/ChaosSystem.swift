import ChaosWorkload
import Domain
import EventBus
import Foundation
import Logging
import Redis
import Synchronization
import TestSupport

/// A private Redis, publishers in this process, and two groups of replicas in processes of their own.
final class ChaosSystem: ChaosLifetime {
    struct Stuck: Error, CustomStringConvertible {
        let description: String
    }

    static let groups = ["markers", "counters"]

    let server: RedisServer
    let timing: ChaosTiming
    let publisherNetwork: FreezingProxy
    let replicas: [ReplicaProcess]
    /// What should not have happened, besides what the accounting finds.
    let failures = Mutex<[String]>([])
    /// When Redis was killed.
    let kills = Mutex<[ContinuousClock.Instant]>([])
    private let client: RedisClient
    /// Not behind any network that fails.
    let bus: EventBus

    private static let logger = Logger(label: "chaos", factory: { _ in SwiftLogNoOpLogHandler() })

    /// - Parameter synced: `always`, so that what Redis has acknowledged it also has after it was killed, or `everysec`.
    init(replicasPerGroup: Int = 2, synced: String = "always", timing: ChaosTiming = ChaosTiming()) async throws {
        self.timing = timing
        server = try RedisServer(arguments: ["--appendfsync", synced])
        publisherNetwork = try await FreezingProxy(
            server: server.socketPath, listeningAt: server.directory.appendingPathComponent("publishers.sock").path)
        client = RedisClient(configuration: try RedisConfiguration(url: server.url), logger: Self.logger)
        bus = timing.bus(client, source: "/zhiyue/observer")
        try await bus.prepare()
        // Clocks of clients must not matter: one is an hour behind, one an hour ahead.
        let shifts = [-3600, 3600, 0]
        var replicas: [ReplicaProcess] = []
        for group in Self.groups {
            for number in 0..<replicasPerGroup {
                replicas.append(
                    try await ReplicaProcess(
                        server: server, role: .subscriber(group: group), name: "\(group)-\(number)", timing: timing,
                        clockShift: shifts[number % shifts.count]))
            }
        }
        self.replicas = replicas
    }

    /// Ends everything. The data are gone afterwards.
    func stop() async {
        for replica in replicas {
            replica.kill()
            await replica.network.stop()
        }
        await publisherNetwork.stop()
        await client.close()
        server.stop()
    }

    static func run<Result>(
        replicasPerGroup: Int = 2, synced: String = "always", timing: ChaosTiming = ChaosTiming(),
        _ body: (ChaosSystem) async throws -> Result
    ) async throws -> Result {
        let system = try await ChaosSystem(replicasPerGroup: replicasPerGroup, synced: synced, timing: timing)
        return try await system.untilStopped(body)
    }

    // MARK: Load

    /// Publishes as long as `body` runs, and waits until everything is handled.
    ///
    /// - Returns: the accounting of it all.
    func underLoad(
        publishers count: Int = 6, examsEach: Int = 4, seed: UInt64, _ body: () async throws -> Void
    ) async throws -> Verdict {
        let publishing = try timing.client(publisherNetwork.url, logger: Self.logger)
        let bus = timing.bus(publishing, source: "/zhiyue/chaos")
        let isStopping = Flag()
        let exams = (0..<count * examsEach).map { ExamID("exam-\($0)") }
        let publications = try await withThrowingTaskGroup(of: [Publication].self) { group in
            for number in 0..<count {
                let publisher = Publisher(
                    bus: bus, exams: (0..<examsEach).map { exams[number * examsEach + $0] },
                    random: SplitMix64(seed: seed &+ UInt64(number)), isStopping: isStopping)
                group.addTask { await publisher.run() }
            }
            defer { isStopping.raise() }
            try await body()
            isStopping.raise()
            return try await group.reduce(into: []) { $0 += $1 }
        }
        for replica in replicas { expectRunning(replica) }
        // With its connections, whatever they had not delivered is gone.
        await publishing.close()
        try await drained(within: .seconds(60))
        return Verdict(publications: unsyncedAsUnknown(publications), observations: try await observations(exams))
    }

    /// Notes when a replica ended by itself: no fault of Redis or the network may do that.
    func expectRunning(_ replica: ReplicaProcess) {
        if let end = replica.untimelyEnd { failures.withLock { $0.append(end) } }
    }

    /// Redis killed between two syncs may forget what it acknowledged in the two seconds before. With `appendfsync
    /// always` nothing is changed.
    private func unsyncedAsUnknown(_ publications: [Publication]) -> [Publication] {
        guard (try? server.command("CONFIG GET appendfsync"))?.contains("everysec") == true else {
            return publications
        }
        let kills = kills.withLock { $0 }
        return publications.map { publication in
            var publication = publication
            let isUnsynced = kills.contains { (.zero..<Duration.seconds(2.5)).contains($0 - publication.finished) }
            if publication.outcome == .ok, isUnsynced { publication.outcome = .unknown }
            return publication
        }
    }

    // MARK: Afterwards

    /// Waits until every group has handled every event.
    func drained(within limit: Duration) async throws {
        let giveUp = ContinuousClock.now + limit
        var isFirst = true
        while true {
            let open = try await bus.statistics().flatMap { partition in
                partition.length == 0
                    ? []
                    : Self.groups.compactMap { group -> String? in
                        let found = partition.groups.first { $0.group == group }
                        guard let found else { return "\(group) does not know partition \(partition.partition)" }
                        guard found.lag > 0 else { return nil }
                        return "\(group) has \(found.lag) events left in partition \(partition.partition), owned by "
                            + (found.owner ?? "nobody")
                    }
            }
            if open.isEmpty {
                // A look of its own after what may have been appended during the first.
                if !isFirst { return }
                isFirst = false
            }
            guard ContinuousClock.now < giveUp else { throw Stuck(description: open.joined(separator: "; ")) }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func observations(_ exams: [ExamID]) async throws -> [Observation] {
        var observations: [Observation] = []
        for exam in exams {
            let stream = try await stream(exam)
            let dead = try await bus.deadLetters(
                DeadLetterQuery(filter: EventFilter(examID: exam), limit: 10_000)
            ).deadLetters
            for group in Self.groups {
                let list = CountingHandler.list(bus.keys, bus.partition(of: exam), group, exam)
                let applied = try await client.send(["LRANGE", list, 0, -1]).array?.compactMap(\.int) ?? []
                observations.append(
                    Observation(
                        group: group, exam: exam, stream: stream, applied: applied,
                        deadLettered: try dead.filter { $0.group == group }.compactMap(\.event).map(number)))
            }
        }
        return observations
    }

    private func stream(_ exam: ExamID) async throws -> [Int] {
        var query = EventQuery(filter: EventFilter(examID: exam), limit: 10_000)
        var numbers: [Int] = []
        while true {
            let page = try await bus.history(query)
            numbers += try page.events.map { try number($0.event) }
            guard let next = page.next else { return numbers }
            query.cursor = next
        }
    }

    private func number(_ event: EventEnvelope) throws -> Int {
        try JSON.decode(CountedEvent.self, from: event.data).number
    }

    /// How many effects a group has made on the events of the first `count` exams.
    func effectCount(_ group: String, exams count: Int) async throws -> Int {
        let replies = try await client.pipeline(
            (0..<count).map { number in
                let exam = ExamID("exam-\(number)")
                return ["LLEN", CountingHandler.list(bus.keys, bus.partition(of: exam), group, exam)]
            })
        return replies.reduce(0) { $0 + ($1.int ?? 0) }
    }

    /// How often the guard of effects refused a repeat, and a former owner.
    func refusals() async throws -> (repeats: Int, stale: Int) {
        var counts = (repeats: 0, stale: 0)
        for partition in 0..<bus.configuration.partitions {
            let key = CountingHandler.refusals(bus.keys, partition)
            let replies = try await client.pipeline([["HGET", key, "APPLIED"], ["HGET", key, "STALE"]])
            counts.repeats += replies[0].int ?? 0
            counts.stale += replies[1].int ?? 0
        }
        return counts
    }
}
