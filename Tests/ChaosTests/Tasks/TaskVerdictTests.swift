import ChaosWorkload
import Domain
import TaskQueue
import Testing

/// The accounting must see what it is there to see.
struct TaskVerdictTests {
    private static let seed: UInt64 = 7
    private static let plans = (0..<2000).map { TaskPlan(seed: seed, producer: 0, number: $0) }
    private static func first(_ condition: (TaskPlan) -> Bool) throws -> TaskPlan {
        let found = plans.first(where: condition)
        return try #require(found)
    }
    private static func plain() throws -> TaskPlan { try first { $0.runs == 1 && !$0.isCancelled } }

    /// One task as it was found.
    private func verdict(
        _ plan: TaskPlan, _ state: TaskState?, fence: Int64? = nil, runs: [Int64] = [], effects: Int = 0,
        isTold: Bool = false, counted: Int = 1, listed: Int = 1
    ) -> TaskVerdict {
        var findings = TaskFindings()
        let id = plan.task.id
        if let state {
            findings.tasks = Array(repeating: FoundTask(id: id, state: state, fence: fence), count: listed)
            findings.ends = [state: counted]
        }
        findings.runs = [id: runs]
        findings.effects = Array(repeating: id, count: effects)
        findings.finalFailures = isTold ? [id] : []
        return TaskVerdict(plans: [plan], findings: findings)
    }

    @Test func oneEffectAndOneEndIsClean() throws {
        let plain = try Self.plain()
        #expect(verdict(plain, .completed, fence: 5, runs: [5], effects: 1).isClean)
        let repeated = verdict(plain, .completed, fence: 9, runs: [5, 7, 9], effects: 1)
        #expect(repeated.isClean)
        #expect(repeated.repeated == 2)
        let poison = try Self.first(\.isPoison)
        #expect(verdict(poison, .failed, runs: [1, 2, 3], isTold: true).isClean)
        let cancelled = try Self.first(\.isCancelled)
        #expect(verdict(cancelled, .cancelled).isClean)
        #expect(verdict(cancelled, .cancelled, runs: [1], effects: 1).isClean)
        #expect(verdict(cancelled, .completed, fence: 1, runs: [1], effects: 1).isClean)
    }

    @Test func whatHasNoEndOrNoEffectIsLost() throws {
        let plain = try Self.plain()
        #expect(verdict(plain, nil, counted: 0).lost.count == 1)
        #expect(verdict(plain, .completed, fence: 5, runs: [5]).lost.count == 1)
        #expect(verdict(plain, .completed, fence: 5, effects: 1).lost.count == 1)
        #expect(verdict(plain, .ready, runs: [5], effects: 1).lost.count == 1)
        #expect(verdict(plain, .cancelled).lost.count == 1)
        // Given up although it could have been done.
        #expect(verdict(plain, .failed, runs: [5], isTold: true).lost.count == 1)
        let poison = try Self.first(\.isPoison)
        #expect(verdict(poison, .completed, fence: 1, runs: [1]).lost.count == 1)
        #expect(verdict(poison, .failed, runs: [1]).lost.count == 1)
        #expect(verdict(plain, .completed, fence: 5, runs: [5], effects: 1, counted: 0).lost.count == 1)
    }

    @Test func whatHappenedTwiceIsDoubled() throws {
        let plain = try Self.plain()
        #expect(verdict(plain, .completed, fence: 5, runs: [5], effects: 2).doubled.count == 1)
        // Given out again after it was completed.
        #expect(verdict(plain, .completed, fence: 5, runs: [5, 6], effects: 1).doubled.count == 1)
        // One claim, two runs.
        #expect(verdict(plain, .completed, fence: 5, runs: [5, 5], effects: 1).doubled.count == 1)
        #expect(verdict(plain, .completed, fence: 5, runs: [5], effects: 1, counted: 2).doubled.count == 1)
        #expect(verdict(plain, .completed, fence: 5, runs: [5], effects: 1, listed: 2).doubled.count == 1)
    }

    /// A producer that takes another's place must submit the same tasks.
    @Test func aPlanFollowsFromItsNumber() throws {
        for number in 0..<200 {
            let again = TaskPlan(seed: Self.seed, producer: 0, number: number)
            #expect(try again.draft().payload == Self.plans[number].draft().payload)
            #expect(again.batchSize == Self.plans[number].batchSize)
        }
        let sorts = [\TaskPlan.isPoison, \.isCancelled, \.task.failsLate].map { sort in
            Self.plans.count { $0[keyPath: sort] }
        }
        #expect(sorts.allSatisfy { (1..<1500).contains($0) })
    }
}
