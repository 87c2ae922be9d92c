import Testing

/// Gateways are killed while thousands of clients follow exams, and the clients come back to whichever lives. `make chaos`
/// runs it for 60 s; `CHAOS_SECONDS`, `CHAOS_SEED` and `CHAOS_CLIENTS` change it.
@Suite(.serialized, .timeLimit(.minutes(10))) struct RandomizedWebSocketChaosTests {
    @Test func `every client gets every event it follows once and in order, whichever gateway is killed`() async throws
    {
        let environment = ChaosEnvironment(seconds: 8)
        let (seed, isLong) = (environment.seed, environment.isLong)
        let clients = environment.clients ?? (isLong ? 1200 : 200)
        print("chaos websocket: seed=\(seed) seconds=\(environment.seconds) clients=\(clients)")
        try await RealtimeChaosSystem.run(exams: 24) { system in
            let crowd = system.crowd(clients, seed: seed)
            try await crowd.open()
            var kills = 0
            let (ledger, load) = try await system.underLoad(perSecond: isLong ? 40 : 100, seed: seed &+ 1) { _ in
                kills = try await system.killGateways(for: .seconds(environment.seconds), seed: seed &+ 2)
            }
            let verdict = await crowd.verdict(ledger, within: .seconds(60))
            let counts = await crowd.counts()
            await crowd.stop()
            print(
                """
                chaos websocket: \(verdict) gateways_killed=\(kills) resumes=\(counts.resumes) \
                published=\(load.published) not_recovered=\(counts.notRecovered) miscounted=\(counts.miscounted) \
                connects=\(counts.opened) refused=\(counts.failed) unavailable=\(counts.unavailable) \
                closes=\(counts.closes.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" })
                """)
            #expect(verdict.isClean, "seed \(seed)")
            #expect(verdict.expected > 0)
            #expect(ledger.events.count == load.published, "seed \(seed)")
            #expect(load.failed == 0)
            #expect(counts.notRecovered == 0, "seed \(seed)")
            #expect(counts.miscounted == 0, "seed \(seed)")
            #expect(counts.faults.prefix(5) == [], "seed \(seed)")
            #expect(kills > 1)
            #expect(counts.resumes >= clients)
        }
    }
}
