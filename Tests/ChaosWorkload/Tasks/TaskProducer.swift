internal import Domain
internal import Foundation
internal import Redis
internal import ServiceLifecycle
package import TaskQueue

package struct TaskProducerOptions: Codable, Sendable {
    package var seed: UInt64
    package var producer: Int
    /// How many tasks it submits in all.
    package var quota: Int
    /// When its first task was due, in milliseconds since 1970, and how long after that its last one is.
    package var begin: Int64
    package var milliseconds: Int64
    /// Where it keeps its `TaskProducerProgress`, outside the reach of all faults.
    package var progressFile: String

    package init(
        seed: UInt64, producer: Int, quota: Int, begin: Int64, milliseconds: Int64, progressFile: String
    ) {
        self.seed = seed
        self.producer = producer
        self.quota = quota
        self.begin = begin
        self.milliseconds = milliseconds
        self.progressFile = progressFile
    }
}

/// What a producer knows of its work, and its successor after it was killed.
package struct TaskProducerProgress: Codable, Sendable {
    /// Every task before this number is acknowledged, and cancelled if that was planned.
    package var next = 0
    /// Tasks that were there already when they were submitted: by a call whose reply was lost, or by a producer that was
    /// killed before it noted them.
    package var existing = 0
    /// Tasks that the queue took once more although they were acknowledged before.
    package var takenTwice = 0

    package init() {}

    /// - Returns: nil before the first task.
    package init?(file: String) {
        guard let data = FileManager.default.contents(atPath: file),
            let progress = try? JSON.decode(Self.self, from: data)
        else { return nil }
        self = progress
    }

    func write(to file: String) throws {
        try Data(try JSON.encode(self)).write(to: URL(fileURLWithPath: file), options: .atomic)
    }
}

/// Submits its tasks one call after the other and notes each acknowledged one. A call whose outcome is not known is
/// made again until it is: the queue takes a task once, by its id.
package struct TaskProducer: Service {
    private let queue: TaskQueue
    private let options: TaskProducerOptions

    package init(queue: TaskQueue, options: TaskProducerOptions) {
        self.queue = queue
        self.options = options
    }

    package func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await produce() }
        } catch is CancellationError {}
        // A producer that has done its work still has to be told to go.
        try? await gracefulShutdown()
    }

    private func produce() async throws {
        var progress = TaskProducerProgress(file: options.progressFile) ?? TaskProducerProgress()
        while progress.next < options.quota {
            let first = plan(progress.next)
            let count = min(first.batchSize, options.quota - progress.next)
            let plans = [first] + (1..<max(count, 1)).map { plan(progress.next + $0) }
            try await untilDue(progress.next)
            let drafts = try plans.map { try $0.draft() }
            let submissions = try await acknowledged {
                drafts.count == 1 ? [try await queue.submit(raw: drafts[0])] : try await queue.submit(batch: drafts)
            }
            for plan in plans where plan.isCancelled { try await cancel(plan) }
            if let back = first.resubmits, back <= progress.next {
                let old = try plan(progress.next - back).draft()
                if try await acknowledged({ try await queue.submit(raw: old) }).isNew { progress.takenTwice += 1 }
            }
            progress.next += count
            progress.existing += submissions.count { !$0.isNew }
            try progress.write(to: options.progressFile)
        }
    }

    private func plan(_ number: Int) -> TaskPlan {
        TaskPlan(seed: options.seed, producer: options.producer, number: number)
    }

    private func untilDue(_ number: Int) async throws {
        let due = options.begin + options.milliseconds * Int64(number) / Int64(options.quota)
        let early = due - Timestamp.now.milliseconds
        if early > 0 { try await Task.sleep(for: .milliseconds(early)) }
    }

    /// Repeats a call until Redis has answered it.
    ///
    /// - Throws: `CancellationError`, and what no repetition can mend.
    private func acknowledged<Result>(_ call: () async throws -> Result) async throws -> Result {
        while true {
            try Task.checkCancellation()
            do {
                return try await call()
            } catch let error as RedisError where error.isOutage {
                // Redis, or the way to it.
            } catch let error as TaskQueueError where error.code == .queueFull {
                // Some of the batch may have been taken.
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func cancel(_ plan: TaskPlan) async throws {
        do {
            _ = try await acknowledged { try await queue.cancel(type: CountedTask.type, id: plan.task.id) }
        } catch let error as TaskQueueError where error.code == .wrongState {
            // It has ended, maybe as cancelled by this very call, whose reply was lost.
        }
    }
}
