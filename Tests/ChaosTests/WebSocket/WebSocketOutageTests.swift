import ChaosWorkload
import Domain
import Foundation
import NIOCore
import TestSupport
import Testing

/// Redis goes away while clients are connected, and comes back. `make chaos-websocket` lets it be away for 20 s.
@Suite(.serialized, .timeLimit(.minutes(5))) struct WebSocketOutageTests {
    enum Outage: String, CaseIterable {
        case killed, frozen
    }

    @Test(arguments: Outage.allCases)
    func `while Redis is away clients stay and are told, and afterwards nothing is missing`(outage: Outage) async throws
    {
        let environment = ChaosEnvironment(seconds: 6)
        // One that is frozen is known to be away only when it has not answered for three seconds.
        let away: Duration = environment.isLong ? .seconds(20) : outage == .killed ? .seconds(3) : .seconds(6)
        let clients = environment.isLong ? 1000 : 150
        try await RealtimeChaosSystem.run(gateways: 1) { system in
            let gateway = system.gateways[0]
            let crowd = system.crowd(clients, seed: environment.seed)
            try await crowd.open()
            var told = Duration.zero
            var refused = Refusals()
            var memory = (before: 0, after: 0)
            let (ledger, load) = try await system.underLoad(perSecond: 60, seed: environment.seed) { load in
                try await eventually("events come", within: .seconds(20)) { await crowd.received > clients }
                memory.before = gateway.residentBytes
                let start = ContinuousClock.now
                system.begin(outage)
                try await eventually("all clients are told", within: .seconds(15)) {
                    await crowd.count { $0.isDegraded } == clients
                }
                told = start.duration(to: .now)
                let beats = await crowd.map { $0.counts.heartbeats }
                refused = try await system.refusals(gateway)
                try await eventually("heartbeats go on", within: .seconds(15)) {
                    await zip(crowd.map { $0.counts.heartbeats }, beats).allSatisfy { $0 > $1 }
                }
                // As long as it is to be away in all.
                try await Task.sleep(until: start + away)
                memory.after = gateway.residentBytes
                try system.end(outage)
                try await eventually("all clients are told that it is back", within: .seconds(20)) {
                    await crowd.count { $0.isDegraded } == 0
                }
                let published = load.published
                try await eventually("events are published again", within: .seconds(20)) {
                    load.published > published + 60
                }
            }
            let verdict = await crowd.verdict(ledger, within: .seconds(60))
            let counts = await crowd.counts()
            await crowd.stop()
            print(
                """
                chaos websocket outage: redis=\(outage) seconds=\(away / .seconds(1)) \(verdict) \
                told_after=\(rounded(told)) closed=\(counts.closes) not_recovered=\(counts.notRecovered) \
                subscribe_refused_after=\(rounded(refused.subscribe)) rest_503_after=\(rounded(refused.rest)) \
                memory_mib=\(memory.before >> 20)->\(memory.after >> 20)
                """)
            #expect(verdict.isClean)
            #expect(load.published > 0)
            #expect(counts.closes == [:], "all stay connected")
            #expect(counts.opened == clients)
            #expect(counts.degraded == clients)
            #expect(counts.restored == clients)
            #expect(counts.notRecovered == 0)
            #expect(counts.miscounted == 0)
            #expect(counts.faults.prefix(5) == [])
            #expect(refused.subscribe < .seconds(8))
            #expect(refused.rest < .seconds(8))
            #expect(memory.after < memory.before + 64 << 20)
        }
    }

    private func rounded(_ duration: Duration) -> Double {
        (duration / .milliseconds(100)).rounded() / 10
    }
}

/// How long those took who asked for something while Redis was away, until they were told so.
struct Refusals: Sendable {
    var subscribe = Duration.zero
    var rest = Duration.zero
}

extension RealtimeChaosSystem {
    func begin(_ outage: WebSocketOutageTests.Outage) {
        switch outage {
        case .killed: server.kill()
        case .frozen: server.freeze()
        }
    }

    func end(_ outage: WebSocketOutageTests.Outage) throws {
        switch outage {
        case .killed: try server.restart()
        case .frozen: server.thaw()
        }
    }

    /// Two hundred further clients and some requests, all at once, while Redis is away: what each of them is told, and
    /// when the last of them was.
    func refusals(_ gateway: GatewayProcess) async throws -> Refusals {
        let newcomers = crowd(200, seed: 99)
        let start = ContinuousClock.now
        for client in newcomers.clients { client.eventLoop.execute { client.connect() } }
        async let rest = slowestRequest(gateway)
        try await eventually("new subscriptions are answered", within: .seconds(20)) {
            await newcomers.count { client in
                let answered = client.subscriptions.filter { $0.isSubscribed || $0.refusals > 0 }
                // Whether a teacher may follow an exam only Redis knows.
                let mustBeRefused = client.subscriptions.contains { $0.following.user == Self.teacher }
                return answered.count == client.subscriptions.count && client.isDegraded
                    && (!mustBeRefused || client.subscriptions.allSatisfy { !$0.isSubscribed })
            } == newcomers.clients.count
        }
        let subscribe = start.duration(to: .now)
        let slowest = try await rest
        let faults = await newcomers.counts().faults
        #expect(faults.prefix(5) == [])
        await newcomers.stop()
        return Refusals(subscribe: subscribe, rest: slowest)
    }

    /// Asks for what only Redis knows, and for what the gateway knows itself.
    private func slowestRequest(_ gateway: GatewayProcess) async throws -> Duration {
        let expected = exams.prefix(5).map { ("/api/exams/\($0)", 503) } + [("/healthz", 200), ("/readyz", 503)]
        return try await withThrowingTaskGroup(of: Duration.self) { tasks in
            for (path, status) in expected {
                tasks.addTask { [tokens] in
                    let start = ContinuousClock.now
                    let answer = try await gateway.get(path, token: tokens[Self.teacher], timeout: .seconds(20))
                    #expect(answer.status == status, "\(path)")
                    return start.duration(to: .now)
                }
            }
            return try await tasks.reduce(.zero) { max($0, $1) }
        }
    }
}
