internal import ArgumentParser
internal import Audit
internal import Domain
internal import TaskQueue

/// Work of the queues.
struct TasksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tasks", abstract: "Submit work, look at it, cancel and retry it, and pause its queues.",
        subcommands: [
            Submit.self, List.self, Show.self, Cancel.self, Retry.self, Purge.self, Queues.self, Limit.self, Pause.self,
            Resume.self, SchedulesCommand.self,
        ])

    /// A task, of the type that is named or else of any.
    struct Target: ParsableArguments {
        @Argument(help: "Its id, as the list shows it.")
        var id: TaskID

        @Option(help: "Its type; needed only when tasks of several types have that id.")
        var type: TaskType?

        func validate() throws {
            guard id.isValid else { throw ValidationError("\(id) is no id of a task") }
            try type?.requireKnown()
        }

        /// - Throws: `CommandFailure` when there is no such task, or one in several types.
        func find(_ queue: TaskQueue) async throws -> TaskRecord {
            var found: [TaskRecord] = []
            for type in type.map({ [$0] }) ?? TaskType.known {
                if let task = try await queue.task(type: type, id: id) { found.append(task) }
            }
            guard let task = found.first else {
                throw CommandFailure("there is no task \(id); see zhiyue tasks list")
            }
            guard found.count == 1 else {
                let types = found.map(\.type.rawValue).joined(separator: ", ")
                throw CommandFailure("there are tasks \(id) of several types; say --type: \(types)")
            }
            return task
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show tasks: running, ready, scheduled, dead, then finished ones, type by type.")

        @OptionGroup var system: SystemOptions

        @Option(help: "Only those of this type: \(TaskType.knownText).")
        var type: TaskType?

        @Option(help: "Only those in this state: \(TaskState.allCases.map(\.rawValue).joined(separator: ", ")).")
        var state: TaskState?

        @Option(help: "At most so many.")
        var limit = 1000

        @Flag(help: "A JSON object a line.")
        var json = false

        func validate() throws {
            try type?.requireKnown()
            guard limit > 0 else { throw ValidationError("--limit must be at least 1") }
        }

        func run() async throws {
            try await system.withConnection { connection in
                var rest = limit
                var isCut = false
                if !json { print(TaskText.header) }
                for type in type.map({ [$0] }) ?? TaskType.known {
                    var cursor: String?
                    repeat {
                        guard rest > 0 else {
                            isCut = true
                            break
                        }
                        let page = try await connection.queue.tasks(
                            type: type, state: state, cursor: cursor, limit: min(rest, 200))
                        for task in page.items { print(json ? try JSON.string(task) : TaskText.line(task)) }
                        rest -= page.items.count
                        cursor = page.nextCursor
                    } while cursor != nil
                }
                if isCut { writeError("zhiyue: there may be more; raise --limit") }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a task: its state, payload, result or error, and how its runs failed.")

        @OptionGroup var target: Target
        @OptionGroup var system: SystemOptions

        @Flag(help: "Print a line whenever it changes, until it has ended; status 1 when it did not complete.")
        var follow = false

        @Flag(help: "As JSON, for programs.")
        var json = false

        func run() async throws {
            try await system.withConnection { connection in
                var task = try await target.find(connection.queue)
                if follow { task = try await followed(task, connection.queue) }
                print(json ? try JSON.string(task) : try TaskText.text(task))
                if follow, task.state != .completed { throw ExitCode.failure }
            }
        }

        private func followed(_ first: TaskRecord, _ queue: TaskQueue) async throws -> TaskRecord {
            var task = first
            var shown = ""
            while true {
                let line = TaskText.change(task)
                if line != shown { writeError(line) }
                shown = line
                if task.state.isFinal { return task }
                try await Task.sleep(for: .milliseconds(200))
                guard let next = try await queue.task(type: task.type, id: task.id) else {
                    throw CommandFailure("the task \(task.id) is gone")
                }
                task = next
            }
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Cancel a task: at once while it waits, soon when it runs.")

        @OptionGroup var target: Target
        @OptionGroup var system: SystemOptions

        func run() async throws {
            try await system.withConnection { connection in
                let task = try await target.find(connection.queue)
                let outcome = try await connection.queue.cancel(type: task.type, id: task.id)
                try await connection.audit.append(Operator.entry(.tasksCancelled, task))
                print(
                    outcome == .cancelled ? "\(task.id) cancelled" : "\(task.id) runs; its worker was asked to stop it")
            }
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a task that failed or was cancelled start afresh, with all its attempts.")

        @OptionGroup var target: Target
        @OptionGroup var system: SystemOptions

        func run() async throws {
            try await system.withConnection { connection in
                let task = try await target.find(connection.queue)
                try await connection.queue.retry(type: task.type, id: task.id)
                try await connection.audit.append(Operator.entry(.tasksRetried, task))
                print("\(task.id) waits again")
            }
        }
    }

    struct Purge: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forget dead tasks for good: one, or all of a type.")

        @Argument(help: "Its type: \(TaskType.knownText).")
        var type: TaskType

        @Argument(help: "Its id; none for all dead tasks of the type, with --all.")
        var id: TaskID?

        @Flag(help: "All dead tasks of the type.")
        var all = false

        @OptionGroup var system: SystemOptions

        func validate() throws {
            try type.requireKnown()
            guard (id != nil) != all else { throw ValidationError("say which: an id, or --all") }
        }

        func run() async throws {
            try await system.withConnection { connection in
                let count = try await connection.queue.purgeDead(type: type, id: id)
                if id != nil, count == 0 {
                    throw CommandFailure("there is no such dead task; see zhiyue tasks list --state failed")
                }
                if count > 0 {
                    try await connection.audit.append(
                        Operator.entry(
                            .tasksPurged, subject: id?.rawValue ?? "tasks",
                            details: ["type": type.rawValue, "count": "\(count)"]))
                }
                print("\(count) forgotten")
            }
        }
    }
}

extension Operator {
    fileprivate static func entry(_ action: AuditAction, _ task: TaskRecord) -> AuditEntry {
        entry(action, subject: task.id.rawValue, examID: task.examID, details: ["type": task.type.rawValue])
    }
}
