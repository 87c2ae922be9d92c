import Synchronization
import Testing

/// Workers and producers are killed, stopped and sent away four times a second, networks fail and Redis is restarted,
/// while tasks are submitted and run. `make chaos` runs it for 60 s with 20,000 tasks; `CHAOS_SECONDS` and `CHAOS_SEED`
/// change it.
@Suite(.serialized, .timeLimit(.minutes(10))) struct RandomizedTaskChaosTests {
    @Test func everyTaskComesToItsEndAndItsEffectOnceWhateverGoesWrong() async throws {
        let environment = ChaosEnvironment(seconds: 6)
        let (seed, seconds) = (environment.seed, environment.seconds)
        print("chaos tasks: seed=\(seed) seconds=\(seconds)")
        let production = TaskChaosSystem.Production(
            seed: seed, producers: 4, tasksEach: seconds * 1000 / 12, duration: .seconds(seconds))
        try await TaskChaosSystem.run(workers: 4, production: production) { system in
            let begin = ContinuousClock.now
            let schedule = TaskFaultSchedule(system: system, seed: seed)
            try await schedule.run(for: .seconds(seconds))
            let submitted = system.submitted
            let (verdict, findings) = try await system.verdict()
            let faults = schedule.counts.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            let time = ((ContinuousClock.now - begin) / .milliseconds(100)).rounded() / 10
            print("chaos tasks: \(verdict); faults \(faults.joined(separator: " ")); \(time) seconds")
            print(
                """
                chaos tasks: refused late effects=\(findings.lateEffects) late reports=\(findings.lateReports) \
                repeated effects=\(findings.refusedRepeats) repeated submissions=\(findings.submittedAgain); \
                submitted while faults lasted=\(submitted)
                """)
            #expect(verdict.lost == [], "seed \(seed)")
            #expect(verdict.doubled == [], "seed \(seed)")
            #expect(verdict.submitted == 4 * production.tasksEach)
            #expect(system.failures.withLock { $0 } == [])
        }
    }
}
