internal import Audit
internal import Domain
internal import Glibc
internal import Logging
internal import TaskQueue

/// Submits the tasks of a file, a line each, a thousand at a time. Running it again is safe: a task that was submitted
/// before is not submitted twice.
struct TaskFileRun {
    /// What became of the lines.
    struct Counts: Equatable {
        var submitted = 0
        /// They were there already.
        var existing = 0

        var lines: Int { submitted + existing }
    }

    private static let batch = 1000

    let queue: TaskQueue
    /// How long a full queue may take nothing before the run ends.
    var patience = Duration.seconds(60)
    var pause = Duration.seconds(1)
    /// Is told of progress, about once a second; and whether the queue is full.
    var progress: (Counts, Bool) -> Void = { _, _ in }

    /// - Throws: `CommandFailure` naming the line that is no task, or that found the queue full; the lines before it are
    ///   submitted.
    func submit(_ path: String) async throws -> Counts {
        let context = EventContext(source: "/zhiyue/cli", correlationID: .make())
        var lines = try LineReader(path: path)
        var counts = Counts()
        var number = 0
        var drafts: [TaskDraft] = []
        var shown = ContinuousClock.now
        while true {
            let line = try lines.next()
            number += 1
            if let line, !line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) {
                do {
                    drafts.append(try TaskLine.draft(line, context: context))
                } catch {
                    try await submit(drafts, &counts)
                    throw CommandFailure("line \(number): \(error). \(Self.sum(counts)); the rest was not looked at")
                }
            }
            if drafts.count == Self.batch || line == nil {
                try await submit(drafts, &counts)
                drafts = []
            }
            guard line != nil else { return counts }
            if shown.duration(to: .now) >= .seconds(1) {
                shown = .now
                progress(counts, false)
            }
        }
    }

    static func sum(_ counts: Counts) -> String {
        "\(counts.submitted) submitted, \(counts.existing) were submitted before"
    }

    private func submit(_ drafts: [TaskDraft], _ counts: inout Counts) async throws {
        var waiting = drafts
        var lastRoom = ContinuousClock.now
        while !waiting.isEmpty {
            let full = try await submitOnce(waiting, &counts)
            guard !full.isEmpty else { return }
            if full.count < waiting.count { lastRoom = .now }
            guard lastRoom.duration(to: .now) < patience else {
                throw CommandFailure(
                    "the queue has been full for \(patience). \(Self.sum(counts)). Run this again later: nothing is "
                        + "submitted twice")
            }
            waiting = full
            progress(counts, true)
            try await Task.sleep(for: pause)
        }
    }

    /// - Returns: those that had no room.
    private func submitOnce(_ drafts: [TaskDraft], _ counts: inout Counts) async throws -> [TaskDraft] {
        var full: [Int] = []
        try await withThrowingTaskGroup(of: (Int, TaskSubmission?).self) { group in
            for (index, draft) in drafts.enumerated() {
                group.addTask { [queue] in
                    do {
                        return (index, try await queue.submit(raw: draft))
                    } catch let error as TaskQueueError where error.code == .queueFull {
                        return (index, nil)
                    }
                }
            }
            for try await (index, outcome) in group {
                guard let outcome else {
                    full.append(index)
                    continue
                }
                if outcome.isNew { counts.submitted += 1 } else { counts.existing += 1 }
            }
        }
        return full.sorted().map { drafts[$0] }
    }
}
