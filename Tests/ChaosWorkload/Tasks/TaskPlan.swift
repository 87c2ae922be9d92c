package import Domain
package import TaskQueue

/// What a producer does with one of its numbers. It follows from the seed, the producer and the number alone, so that a
/// producer that takes the place of a killed one submits the same tasks again.
package struct TaskPlan: Sendable {
    package let task: CountedTask
    package let priority: TaskPriority
    package let delay: Duration?
    /// Most belong to one of a few exams, the rest to none.
    package let exam: ExamID?
    /// Whether the producer cancels the task as soon as it is submitted.
    package let isCancelled: Bool
    /// How far back the task is that the producer submits once more, as who hears of work twice does; nil for none.
    package let resubmits: Int?
    /// How many tasks, this one included, the producer submits in one call if it begins a call with this one.
    package let batchSize: Int

    /// Attempts of a task that never succeeds.
    package static let poisonAttempts = 3

    package init(seed: UInt64, producer: Int, number: Int) {
        var random = SplitMix64(seed: seed ^ (UInt64(producer) << 40) ^ UInt64(number))
        // Neighbouring seeds give alike first numbers.
        _ = random.next()
        let chance = Int.random(in: 0..<500, using: &random)
        let isPoison = chance == 0
        var task = CountedTask(
            id: TaskID("\(producer)-\(number)"),
            failures: isPoison ? nil : chance < 25 ? Int.random(in: 1...2, using: &random) : 0)
        // A poisonous task makes no effect at all.
        task.failsLate = !isPoison && Bool.random(using: &random)
        // Many take about as long as a lease: they live by their heartbeats, and are what a kill or a stop hits.
        task.work =
            Int.random(in: 0..<20, using: &random) == 0
            ? Int.random(in: 150...1200, using: &random) : Int.random(in: 0...20, using: &random)
        self.task = task
        priority = TaskPriority.allCases.randomElement(using: &random) ?? .normal
        delay =
            Int.random(in: 0..<5, using: &random) == 0
            ? .milliseconds(Int.random(in: 1...300, using: &random)) : nil
        let exam = Int.random(in: 0..<5, using: &random)
        self.exam = exam < 3 ? ExamID("exam-\(exam)") : nil
        isCancelled = !isPoison && Int.random(in: 0..<60, using: &random) == 0
        resubmits = Int.random(in: 0..<10, using: &random) == 0 ? Int.random(in: 1...100, using: &random) : nil
        batchSize = Int.random(in: 0..<10, using: &random) == 0 ? Int.random(in: 2...40, using: &random) : 1
    }

    package var isPoison: Bool { task.failures == nil }

    /// Runs of it when nothing goes wrong and nobody cancels it.
    package var runs: Int { task.failures.map { $0 + 1 } ?? Self.poisonAttempts }

    package func draft() throws -> TaskDraft {
        var draft = try TaskDraft(
            task, priority: priority, examID: exam,
            context: EventContext(source: "/zhiyue/chaos", correlationID: "chaos"), delay: delay)
        if isPoison { draft.maxAttempts = Self.poisonAttempts }
        return draft
    }
}
