internal import ArgumentParser
internal import Audit
internal import Domain
internal import Glibc
internal import TaskQueue

extension TasksCommand {
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
