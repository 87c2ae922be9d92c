import ChaosWorkload
import Foundation
import Testing

/// A gateway that is stopped in order while its clients follow exams.
@Suite(.serialized, .timeLimit(.minutes(5))) struct WebSocketDrainTests {
    @Test func `a stopping gateway sends its clients away over the time it has, and they lose nothing elsewhere`()
        async throws
    {
        let environment = ChaosEnvironment(seconds: 6)
        let clients = environment.isLong ? 1000 : 150
        try await RealtimeChaosSystem.run(settings: ["WEBSOCKET_DRAIN": "4"]) { system in
            let crowd = system.crowd(clients, seed: environment.seed)
            try await crowd.open()
            let leaving = system.gateways[0]
            var start = ContinuousClock.now
            let (ledger, _) = try await system.underLoad(perSecond: 60, seed: environment.seed) { _ in
                try await eventually("events come", within: .seconds(20)) { await crowd.received > clients }
                start = .now
                leaving.signal(SIGTERM)
                try await eventually("the gateway ends", within: .seconds(30)) { leaving.exitStatus != nil }
                try await crowd.subscribed(within: .seconds(30))
            }
            let verdict = await crowd.verdict(ledger, within: .seconds(30))
            let counts = await crowd.counts()
            await crowd.stop()
            let departures = counts.closedAt.map { start.duration(to: $0) / .seconds(1) }.sorted()
            let (first, last) = (departures.first ?? 0, departures.last ?? 0)
            let quarters = (1...3).map { departures.isEmpty ? 0 : departures[departures.count * $0 / 4] }
            print(
                """
                chaos websocket drain: first=\(first) quarters=\(quarters) last=\(last) \
                closed=\(counts.closes) resumes=\(counts.resumes) \(verdict)
                """)
            #expect(leaving.exitStatus == 0)
            #expect(counts.closes.keys.sorted() == [1012])
            #expect(departures.count > clients / 5)
            // Spread over the four seconds: a quarter of them each second, more or less.
            #expect(quarters[0] > 0.3)
            #expect(quarters[2] > quarters[0] + 1)
            #expect(verdict.isClean)
            #expect(counts.notRecovered == 0)
            #expect(counts.miscounted == 0)
        }
    }
}
