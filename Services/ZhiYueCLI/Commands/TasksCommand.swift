internal import ArgumentParser
internal import Audit
internal import Domain
internal import Glibc
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

    struct Submit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Submit a task, or all tasks of a file.",
            discussion: "A task whose id was submitted before is not submitted again; the existing one is shown.")

        @Argument(help: "Its type: \(TaskType.knownText).")
        var type: TaskType?

        @Argument(help: "Its payload as JSON.")
        var payload: String?

        @OptionGroup var system: SystemOptions

        @Option(help: "A file with a task a line, as POST /api/tasks takes them; - for standard input.")
        var file: String?

        @Option(help: "Its id (default: what follows from the payload, so that the same work is done once).")
        var id: TaskID?

        @Option(help: "high, normal or low (default: the type's own).")
        var priority: TaskPriority?

        @Option(help: "The exam it belongs to.")
        var examID: String?

        @Option(help: "Seconds from now until it may run.")
        var delay: Double?

        @Option(help: "While another task holds this key, none is submitted.")
        var uniqueKey: String?

        @Option(help: "Seconds that one run may take (default: the worker's TASK_TIMEOUT).")
        var timeout: Double?

        @Option(help: "Runs before it is dead (default: the worker's MAX_RETRIES and one).")
        var maxAttempts: Int?

        @Flag(help: "As JSON, for programs.")
        var json = false

        func validate() throws {
            if file != nil {
                guard type == nil, id == nil, priority == nil, examID == nil, delay == nil, uniqueKey == nil,
                    timeout == nil, maxAttempts == nil
                else { throw ValidationError("with --file, what else is to be said of a task is said in its line") }
                return
            }
            guard let type, payload != nil else { throw ValidationError("say a type and a payload, or --file") }
            try type.requireKnown()
            guard (0...(30 * 86_400)).contains(delay ?? 0) else {
                throw ValidationError("--delay must be from 0 to 2592000 seconds")
            }
            guard (0.001...86_400).contains(timeout ?? 1) else {
                throw ValidationError("--timeout must be from 0.001 to 86400 seconds")
            }
            guard (1...100).contains(maxAttempts ?? 1) else {
                throw ValidationError("--max-attempts must be from 1 to 100")
            }
        }

        func run() async throws {
            if let file { return try await submit(file: file) }
            guard let type, let payload, let payloadType = TaskCatalog.all.first(where: { $0.type == type }) else {
                return
            }
            let bytes = Array(payload.utf8)
            let ownID = try Self.identifier(payloadType, bytes)
            try await system.withConnection { connection in
                var draft = try TaskDraft(
                    type: type, id: id ?? ownID, json: bytes, priority: priority ?? payloadType.defaultPriority,
                    examID: examID.map { ExamID($0) },
                    context: EventContext(source: "/zhiyue/cli", correlationID: .make()),
                    delay: delay.map { .milliseconds(Int64($0 * 1000)) })
                draft.uniqueKey = uniqueKey
                draft.timeout = timeout.map { .milliseconds(Int64($0 * 1000)) }
                draft.maxAttempts = maxAttempts
                let outcome = try await connection.queue.submit(raw: draft)
                if outcome.isNew {
                    try await connection.audit.append(
                        Operator.entry(
                            .tasksSubmitted, subject: outcome.taskID.rawValue, examID: draft.examID,
                            details: ["type": type.rawValue]))
                }
                if json {
                    print(#"{"created":\#(outcome.isNew),"id":"\#(outcome.taskID)","type":"\#(type)"}"#)
                } else {
                    print(outcome.isNew ? "\(outcome.taskID) submitted" : "\(outcome.taskID) was submitted before")
                }
            }
        }

        private func submit(file: String) async throws {
            try await system.withConnection { connection in
                var lineAbove = ""
                var run = TaskFileRun(queue: connection.queue)
                run.progress = { counts, isFull in
                    let line = TaskFileRun.sum(counts) + (isFull ? "; the queue is full, waiting" : "")
                    writeError(lineAbove + line)
                    // On a terminal the next one is written over it.
                    if isatty(STDERR_FILENO) == 1 { lineAbove = "\u{1B}[A\u{1B}[2K" }
                }
                let counts = try await run.submit(file)
                if counts.submitted > 0 {
                    try await connection.audit.append(
                        Operator.entry(
                            .tasksSubmitted, subject: "tasks", details: ["count": "\(counts.submitted)"]))
                }
                if json {
                    print(
                        #"{"lines":\#(counts.lines),"submitted":\#(counts.submitted),"existing":\#(counts.existing)}"#)
                } else {
                    print(TaskFileRun.sum(counts))
                }
            }
        }

        /// The id that follows from a payload; with it, the payload is checked.
        static func identifier<Payload: TaskPayload>(_ type: Payload.Type, _ json: [UInt8]) throws -> TaskID {
            do {
                return try JSON.decode(type, from: json).taskID
            } catch let error as DecodingError {
                throw CommandFailure("that is no payload of \(type.type): \(error.explanation)")
            }
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

    struct Queues: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what waits and runs of each type, how long it takes, how much was done, and by whom.")

        @Argument(help: "Only this type: \(TaskType.knownText).")
        var type: TaskType?

        @OptionGroup var system: SystemOptions

        @Flag(help: "As JSON, for programs.")
        var json = false

        func validate() throws { try type?.requireKnown() }

        func run() async throws {
            try await system.withConnection { connection in
                for type in type.map({ [$0] }) ?? TaskType.known {
                    let metrics = try await connection.queue.metrics(type: type)
                    if json {
                        print(try JSON.string(metrics))
                    } else {
                        let statistics = try await connection.queue.statistics(type: type)
                        print(QueueText.text(statistics, metrics, try await connection.queue.limits(type: type)))
                    }
                }
            }
        }
    }

    struct Limit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Limit how many tasks of a type run at the same time, all workers together.",
            discussion: "A limit that is not named is lifted.")

        @Argument(help: "The type: \(TaskType.knownText).")
        var type: TaskType

        @OptionGroup var system: SystemOptions

        @Option(help: "At most so many.")
        var running: Int?

        @Option(help: "At most so many of one exam.")
        var perExam: Int?

        func validate() throws {
            try type.requireKnown()
            guard (running ?? 1) >= 1, (perExam ?? 1) >= 1 else {
                throw ValidationError("a limit must be at least 1; to stop a queue: zhiyue tasks pause \(type)")
            }
        }

        func run() async throws {
            try await system.withConnection { connection in
                let limits = QueueLimits(running: running, runningPerExam: perExam)
                try await connection.queue.setLimits(limits, type: type)
                try await connection.audit.append(
                    Operator.entry(.queueLimited, subject: type.rawValue, details: limits.details))
                print("\(type): \(QueueText.text(limits))")
            }
        }
    }

    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let no worker begin tasks of a type; those that run go on.")

        @Argument(help: "The type: \(TaskType.knownText).")
        var type: TaskType

        @OptionGroup var system: SystemOptions

        func validate() throws { try type.requireKnown() }

        func run() async throws {
            try await system.withConnection { connection in
                let isNew = try await connection.queue.pause(type: type)
                if isNew {
                    try await connection.audit.append(Operator.entry(.queuePaused, subject: type.rawValue))
                }
                print(isNew ? "\(type) is paused" : "\(type) was paused before")
            }
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let workers begin tasks of a type again.")

        @Argument(help: "The type: \(TaskType.knownText).")
        var type: TaskType

        @OptionGroup var system: SystemOptions

        func validate() throws { try type.requireKnown() }

        func run() async throws {
            try await system.withConnection { connection in
                let wasPaused = try await connection.queue.resume(type: type)
                if wasPaused {
                    try await connection.audit.append(Operator.entry(.queueResumed, subject: type.rawValue))
                }
                print(wasPaused ? "\(type) goes on" : "\(type) was not paused")
            }
        }
    }
}

extension TaskID: ExpressibleByArgument {
    init?(argument: String) {
        self.init(argument)
    }
}

extension TaskType: ExpressibleByArgument {
    init?(argument: String) {
        self.init(argument)
    }

    static var known: [TaskType] { TaskCatalog.all.map { $0.type } }
    static var knownText: String { known.map(\.rawValue).joined(separator: ", ") }

    func requireKnown() throws {
        guard Self.known.contains(self) else {
            throw ValidationError("\(self) is no type of tasks; there are \(Self.knownText)")
        }
    }
}

extension TaskState: ExpressibleByArgument {}
extension TaskPriority: ExpressibleByArgument {}

extension Operator {
    fileprivate static func entry(_ action: AuditAction, _ task: TaskRecord) -> AuditEntry {
        entry(action, subject: task.id.rawValue, examID: task.examID, details: ["type": task.type.rawValue])
    }
}

extension DecodingError {
    /// Where it is and what is wrong with it, without the values.
    var explanation: String {
        switch self {
        case .keyNotFound(let key, let context):
            "\(Self.path(context.codingPath + [key])) is missing"
        case .valueNotFound(_, let context), .typeMismatch(_, let context):
            "\(Self.path(context.codingPath)) is of the wrong type"
        case .dataCorrupted(let context) where context.codingPath.isEmpty:
            "it is not valid JSON"
        case .dataCorrupted(let context):
            "\(Self.path(context.codingPath)) is not valid"
        @unknown default:
            "it cannot be read"
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        "/" + keys.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: "/")
    }
}
