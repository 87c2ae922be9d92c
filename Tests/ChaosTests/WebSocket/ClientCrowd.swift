import ChaosWorkload
import Foundation
import NIOCore
import NIOPosix

/// Many clients, and what all of them have seen.
final class ClientCrowd: Sendable {
    let clients: [ResumingClient]

    /// - Parameters:
    ///   - tokens: by user; a user's clients follow what it may.
    ///   - exams: of the system; those of `teacher` are its own.
    init(_ count: Int, ports: [Int], tokens: [String: String], exams: [String], seed: UInt64) {
        OpenFileLimit.raise()
        var random = SplitMix64(seed: seed)
        clients = (0..<count).map { number in
            let user = number % 2 == 0 ? RealtimeChaosSystem.admin : RealtimeChaosSystem.teacher
            let followings = (0..<Int.random(in: 1...3, using: &random)).map { index in
                Self.following("s\(index)", user, exams, &random)
            }
            return ResumingClient(
                followings, ports: ports, token: tokens[user] ?? "", number: number, seed: random.next(),
                eventLoop: MultiThreadedEventLoopGroup.singleton.next())
        }
    }

    private static func following(
        _ id: String, _ user: String, _ exams: [String], _ random: inout SplitMix64
    ) -> Following {
        let isAdmin = user == RealtimeChaosSystem.admin
        let kinds = ["progress", "progress", "grading", "quality", "general"] + (isAdmin ? ["system"] : [])
        let kind = kinds.randomElement(using: &random) ?? "general"
        let followsAll = isAdmin && Int.random(in: 0..<25, using: &random) == 0
        let own = exams.shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random))
        let types = Following.types[kind, default: []].sorted()
        let some = types.shuffled(using: &random).prefix(Int.random(in: 1...types.count, using: &random))
        return Following(
            id: id, user: user, connectionType: kind, exams: followsAll ? nil : Array(own),
            eventTypes: Int.random(in: 0..<4, using: &random) == 0 ? Set(some) : nil)
    }

    /// Connects all of them and waits until each has what it asked for.
    func open(within limit: Duration = .seconds(60)) async throws {
        for client in clients { client.eventLoop.execute { client.connect() } }
        try await subscribed(within: limit)
    }

    func subscribed(within limit: Duration) async throws {
        try await eventually("all clients are subscribed", within: limit) {
            await count { $0.isSubscribed } == clients.count
        }
    }

    func stop() async {
        _ = await map { $0.stop() }
    }

    // MARK: What they have seen

    func map<Value: Sendable>(_ body: @escaping @Sendable (ResumingClient) -> Value) async -> [Value] {
        var values: [Value] = []
        for client in clients {
            if let value = try? await client.eventLoop.submit({ body(client) }).get() { values.append(value) }
        }
        return values
    }

    func count(_ condition: @escaping @Sendable (ResumingClient) -> Bool) async -> Int {
        await map(condition).count { $0 }
    }

    func counts() async -> ResumingClient.Counts {
        await map { $0.counts }.reduce(into: ResumingClient.Counts()) { $0.add($1) }
    }

    var received: Int {
        get async { await map { $0.subscriptions.reduce(0) { $0 + $1.numbers.count } }.reduce(0, +) }
    }

    /// Waits until everything the ledger has for them is there, and whatever would come too much had its chance: for
    /// each connection two further heartbeats, with all before them.
    ///
    /// - Returns: the accounting, of what there is when `limit` is over.
    func verdict(_ ledger: EventLedger, within limit: Duration) async -> DeliveryVerdict {
        let deadline = ContinuousClock.now + limit
        var verdict = await verdict(ledger)
        while verdict.missing > 0, ContinuousClock.now < deadline {
            try? await Task.sleep(for: .milliseconds(200))
            verdict = await self.verdict(ledger)
        }
        let before = await map { $0.counts.heartbeats }
        while ContinuousClock.now < deadline {
            let now = await map { $0.counts.heartbeats }
            if zip(now, before).allSatisfy({ $0 >= $1 + 2 }) { break }
            try? await Task.sleep(for: .milliseconds(100))
        }
        return await self.verdict(ledger)
    }

    private func verdict(_ ledger: EventLedger) async -> DeliveryVerdict {
        var verdict = DeliveryVerdict()
        let parts = await map { client in client.subscriptions.map { ($0.following, $0.numbers) } }
        for (following, numbers) in parts.joined() { verdict.judge(following, received: numbers, ledger) }
        verdict.clients = clients.count
        return verdict
    }
}

extension ResumingClient.Counts {
    mutating func add(_ other: Self) {
        opened += other.opened
        failed += other.failed
        resumes += other.resumes
        notRecovered += other.notRecovered
        miscounted += other.miscounted
        unavailable += other.unavailable
        faults += other.faults
        closes.merge(other.closes, uniquingKeysWith: +)
        closedAt += other.closedAt
        degraded += other.degraded
        restored += other.restored
        heartbeats += other.heartbeats
        maxDelay = max(maxDelay, other.maxDelay)
    }
}

/// Of this process, raised as far as the system allows: the soft limit is often 1024.
enum OpenFileLimit {
    static func raise() {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(resource, &limit)
    }
}
