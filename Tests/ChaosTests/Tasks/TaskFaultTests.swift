import ChaosWorkload
import Domain
import Foundation
import Redis
import Synchronization
import TaskQueue
import TestSupport
import Testing

/// Each fault by itself, at the moment where it does the most harm.
@Suite(.serialized, .timeLimit(.minutes(2))) struct TaskFaultTests {
    /// Long enough that no worker loses a lease because the machine is busy: runs are counted here.
    private static let timing = {
        var timing = ChaosTiming.tasks
        timing.leaseMilliseconds = 2000
        return timing
    }()

    @Test(arguments: CountedTask.Hold.allCases)
    func `a task whose worker was killed has its effect once`(moment: CountedTask.Hold) async throws {
        try await TaskChaosSystem.run(workers: 2, timing: Self.timing) { system in
            let worker = try await system.holdTask("a", moment)
            worker.kill()
            try await system.until { try await system.record("a")?.state == .completed }
            // Of the two runs one had the effect; with the effect of the first there, the second was refused its own.
            try await system.expectOnce(["a"], runs: 2)
            #expect(try await system.ledger.refusals() == (moment == .afterEffect ? 1 : 0, 0))
            #expect(try await system.record("a")?.worker != worker.name)
        }
    }

    @Test func `a completion whose reply is lost is repeated and counts once`() async throws {
        try await TaskChaosSystem.run(workers: 1, timing: Self.timing) { system in
            let worker = try await system.holdTask("a", .afterEffect)
            await worker.network.freeze(.replies)
            try system.openGate(of: "a")
            try await system.until { try await system.record("a")?.state == .completed }
            await worker.network.sever()
            await worker.network.thaw()
            // The worker goes on with other work.
            try await system.submit(["b"])
            try await system.until { try await system.record("b")?.state == .completed }
            try await system.expectOnce(["a", "b"], runs: 1)
            #expect(worker.untimelyEnd == nil)
        }
    }

    @Test(arguments: CountedTask.Hold.allCases)
    func `a worker stopped for longer than its lease changes nothing any more`(moment: CountedTask.Hold) async throws {
        try await TaskChaosSystem.run(workers: 2, timing: Self.timing) { system in
            let worker = try await system.holdTask("a", moment)
            worker.signal(SIGSTOP)
            try await system.until { try await system.record("a")?.state == .completed }
            let record = try await system.record("a")
            try system.openGate(of: "a")
            worker.signal(SIGCONT)
            // It has done all it had to do with "a" when it does other work with all its places.
            try await system.leave(only: worker)
            let others = try await system.submit((0..<40).map { "other-\($0)" })
            for id in others { try await system.until { try await system.record(id)?.state == .completed } }
            #expect(try await system.record("a") == record)
            try await system.expectOnce(["a"], runs: 2)
            try await system.expectOnce(others, runs: 1)
            // Either the late effect was refused, or that of the run that took over.
            try await system.until {
                try await system.ledger.refusals() == (moment == .afterEffect ? (1, 0) : (0, 1))
            }
            #expect(worker.untimelyEnd == nil)
        }
    }

    @Test func `a worker told to leave gives back what it cannot finish, and that is no stall`() async throws {
        try await TaskChaosSystem.run(workers: 1, timing: Self.timing) { system in
            let ids = try await system.submit((0..<8).map { "\($0)" }, work: 3000)
            try await system.until { try await system.ledger.runs().count == 8 }
            #expect(try await system.workers[0].leave() == 0)
            for id in ids { #expect(try await system.record(id)?.state == .ready) }
            try system.workers[0].start()
            for id in ids { try await system.until { try await system.record(id)?.state == .completed } }
            for id in ids { #expect(try await system.record(id)?.stalls == 0) }
            try await system.expectOnce(ids, runs: 2)
        }
    }

    @Test func `when all workers are killed their tasks wait for the next one`() async throws {
        try await TaskChaosSystem.run(workers: 3, timing: Self.timing) { system in
            // More than can run at the same time.
            let ids = try await system.submit((0..<60).map { "\($0)" }, hold: .beforeEffect)
            try await system.until { ids.count { system.isHeld($0) } == 48 }
            for worker in system.workers { worker.kill() }
            for id in ids { try system.openGate(of: id) }
            try system.workers[1].start()
            for id in ids { try await system.until { try await system.record(id)?.state == .completed } }
            try await system.expectOnce(ids)
        }
    }

    @Test func `however many look for lost leases, each lost task runs once more`() async throws {
        try await TaskChaosSystem.run(workers: 4, timing: Self.timing) { system in
            try await system.leave(only: system.workers[0])
            let ids = try await system.submit((0..<8).map { "\($0)" }, hold: .beforeEffect)
            try await system.until { ids.allSatisfy(system.isHeld) }
            system.workers[0].kill()
            // They look as soon as they are there, and this process does all the time.
            for worker in system.workers.dropFirst() { try worker.start() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        while try await system.ledger.effectCount() < 8 {
                            _ = try await system.queue.reap(CountedTask.type)
                        }
                    }
                }
                try await group.waitForAll()
            }
            for id in ids {
                try await system.until { try await system.record(id)?.state == .completed }
                #expect(try await system.record(id)?.stalls == 1)
            }
            try await system.expectOnce(ids, runs: 2)
        }
    }

    @Test func `workers whose clocks are an hour wrong neither hurry nor tarry`() async throws {
        // The first is an hour behind, the second an hour ahead.
        try await TaskChaosSystem.run(workers: 2, timing: Self.timing) { system in
            let begin = Timestamp.now.milliseconds
            try await system.until { system.workers.allSatisfy { $0.reportedTime != nil } }
            let errors = try system.workers.map { try #require($0.reportedTime) / 1000 - Int(begin) / 1000 }
            #expect((-3660 ... -3590).contains(errors[0]))
            #expect((3540...3610).contains(errors[1]))
            // Some wait for their time, some take longer than a lease, some fail first.
            let delayed = try await system.submit((0..<40).map { "delayed-\($0)" }, delay: .milliseconds(300))
            let long = try await system.submit((0..<4).map { "long-\($0)" }, work: 3000)
            let failing = try await system.submit((0..<20).map { "failing-\($0)" }, failures: 2)
            for id in delayed + long + failing {
                try await system.until { try await system.record(id)?.state == .completed }
            }
            for id in delayed {
                let record = try #require(try await system.record(id))
                #expect(try #require(record.startedAt).milliseconds - record.createdAt.milliseconds >= 300)
            }
            try await system.expectOnce(delayed + long, runs: 1)
            try await system.expectOnce(failing, runs: 3)
            // Each takes over from the other.
            for (number, worker) in system.workers.enumerated() {
                try await system.leave(only: worker)
                let id = TaskID("held-\(number)")
                #expect(try await system.holdTask(id, .beforeEffect).name == worker.name)
                try system.workers[1 - number].start()
                worker.kill()
                try await system.until { try await system.record(id)?.state == .completed }
                try worker.start()
                try await system.expectOnce([id], runs: 2)
            }
        }
    }
}

extension TaskChaosSystem {
    /// Looks until `condition` holds; the time limit of the test bounds it.
    func until(_ condition: () async throws -> Bool) async throws {
        while try await !condition() { try await Task.sleep(for: .milliseconds(5)) }
    }

    func record(_ id: TaskID) async throws -> TaskRecord? {
        try await queue.task(type: CountedTask.type, id: id)
    }

    @discardableResult
    func submit(
        _ ids: [String], failures: Int = 0, work: Int = 0, hold: CountedTask.Hold? = nil, delay: Duration? = nil
    ) async throws -> [TaskID] {
        try await queue.submit(
            batch: ids.map {
                var task = CountedTask(id: TaskID($0), failures: failures)
                task.work = work
                task.hold = hold
                return try TaskDraft(
                    task, examID: nil, context: EventContext(source: "/zhiyue/chaos", correlationID: "chaos"),
                    delay: delay)
            }
        ).map(\.taskID)
    }

    /// Submits a task whose first run stops at that moment, and waits until it has.
    ///
    /// - Returns: the worker that runs it.
    func holdTask(_ id: TaskID, _ moment: CountedTask.Hold) async throws -> ReplicaProcess {
        try await submit([id.rawValue], hold: moment)
        try await until { isHeld(id) }
        let name = try await record(id)?.worker
        return try #require(workers.first { $0.name == name })
    }

    func isHeld(_ id: TaskID) -> Bool {
        FileManager.default.fileExists(atPath: HeldTask.notice(id, in: server.directory.path))
    }

    /// Lets the first run of a held task go on.
    func openGate(of id: TaskID) throws {
        try Data().write(to: URL(fileURLWithPath: HeldTask.gate(id, in: server.directory.path)))
    }

    /// Sends all other workers away.
    func leave(only worker: ReplicaProcess) async throws {
        for other in workers where other !== worker && other.exitStatus == nil {
            #expect(try await other.leave() == 0)
        }
    }

    /// Every task is completed, had its effect once, and its end counts once.
    func expectOnce(
        _ ids: [TaskID], runs: Int? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let effects = Dictionary(grouping: try await ledger.effects(), by: { $0 })
        let fences = try await ledger.runs()
        for id in ids {
            let record = try #require(try await record(id), sourceLocation: sourceLocation)
            #expect(record.state == .completed, sourceLocation: sourceLocation)
            #expect(effects[id]?.count == 1, "\(id)", sourceLocation: sourceLocation)
            let newest = try #require(fences[id]?.last, sourceLocation: sourceLocation)
            #expect(record.result == .object(["fence": .integer(newest)]), "\(id)", sourceLocation: sourceLocation)
            if let runs { #expect(fences[id]?.count == runs, "\(id)", sourceLocation: sourceLocation) }
        }
        let ended = try await queue.tasks(type: CountedTask.type, state: .completed, limit: 1000).items.count
        #expect(
            try await queue.metrics(type: CountedTask.type).total.completed == ended, sourceLocation: sourceLocation)
    }
}
