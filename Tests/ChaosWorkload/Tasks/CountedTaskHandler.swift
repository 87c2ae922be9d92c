package import Domain
internal import Foundation
package import TaskQueue

/// Notes the run, makes the effect, and takes its time around both. Its result is the fence of the run.
package struct CountedTaskHandler: TaskHandler {
    package struct Outcome: Codable, Equatable {
        package let fence: Int64
    }

    private let ledger: EffectLedger
    /// Directory of the files of held tasks.
    private let gates: String

    package init(ledger: EffectLedger, gates: String) {
        self.ledger = ledger
        self.gates = gates
    }

    package func run(_ task: CountedTask, context: TaskContext) async throws -> TaskResult {
        guard task.hold != nil else { return try await steps(task, context) }
        // Of its own, so that nothing cancels it: as deaf as a handler that computes.
        return try await Task { try await steps(task, context) }.value
    }

    private func steps(_ task: CountedTask, _ context: TaskContext) async throws -> TaskResult {
        let isFirstRun = try await ledger.begin(task.id, fence: context.fence) == 1
        let fails = task.failures.map { context.attempt <= $0 } ?? true
        if fails, !task.failsLate { throw TaskFailure(retryable: true, message: "told to fail") }
        try await Task.sleep(for: .milliseconds(task.work / 2))
        if isFirstRun, task.hold == .beforeEffect { try await gate(of: task.id) }
        // Refused or not, the run goes on to report: the queue must know by itself what is late.
        try await ledger.apply(task.id, fence: context.fence)
        if isFirstRun, task.hold == .afterEffect { try await gate(of: task.id) }
        try await Task.sleep(for: .milliseconds(task.work - task.work / 2))
        if fails { throw TaskFailure(retryable: true, message: "told to fail") }
        return try TaskResult(Outcome(fence: context.fence))
    }

    package func failedFinally(_ task: CountedTask, error: TaskFailure, context: TaskContext) async throws {
        try await ledger.noteFinalFailure(task.id)
    }

    /// Tells that the run is here, and waits. All by files: Redis may be out of reach.
    private func gate(of id: TaskID) async throws {
        try Data().write(to: URL(fileURLWithPath: HeldTask.notice(id, in: gates)))
        while !FileManager.default.fileExists(atPath: HeldTask.gate(id, in: gates)) {
            try? await Task.sleep(for: .milliseconds(2))
        }
    }
}

/// The files by which a held run and a test talk to each other.
package enum HeldTask {
    /// There when the run has stopped where it was to stop.
    package static func notice(_ id: TaskID, in directory: String) -> String { "\(directory)/\(id).held" }

    /// There when the run may go on.
    package static func gate(_ id: TaskID, in directory: String) -> String { "\(directory)/\(id).gate" }
}

package struct TaskWorkerOptions: Codable, Sendable {
    /// Tasks at the same time.
    package var places: Int
    /// Directory of the files of held tasks.
    package var gates: String

    package init(places: Int, gates: String) {
        self.places = places
        self.gates = gates
    }
}
