import Synchronization
import Testing

/// Everything goes wrong at random while events are published and handled. `make chaos` runs it for 60 s;
/// `CHAOS_SECONDS`, `CHAOS_SEED` and `CHAOS_FSYNC` (`always` or `everysec`) change it.
@Suite(.serialized, .timeLimit(.minutes(10))) struct RandomizedChaosTests {
    @Test func everyEventTakesEffectOnceAndInOrderWhateverGoesWrong() async throws {
        let environment = ChaosEnvironment(seconds: 6)
        let (seed, seconds, synced) = (environment.seed, environment.seconds, environment.synced)
        print("chaos: seed=\(seed) seconds=\(seconds) fsync=\(synced)")
        try await ChaosSystem.run(replicasPerGroup: 3, synced: synced) { system in
            let schedule = FaultSchedule(system: system, seed: seed)
            let begin = ContinuousClock.now
            let verdict = try await system.underLoad(publishers: 24, examsEach: 2, seed: seed) {
                try await schedule.run(
                    for: .seconds(seconds), longFreeze: seconds >= 60 ? .seconds(20) : nil)
            }
            let faults = schedule.counts.sorted { $0.key.rawValue < $1.key.rawValue }
            let refusals = try await system.refusals()
            print("chaos: faults \(faults.map { "\($0.key.rawValue)=\($0.value)" }.joined(separator: " "))")
            print("chaos: refused repeats=\(refusals.repeats) former_owners=\(refusals.stale)")
            print("chaos: \(verdict); \(ContinuousClock.now - begin)")
            #expect(verdict.isClean, "\(verdict); seed \(seed)")
            #expect(verdict.ok > 0)
            #expect(system.failures.withLock { $0 } == [])
        }
    }
}
