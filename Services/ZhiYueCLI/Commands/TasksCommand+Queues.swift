internal import ArgumentParser
internal import Audit
internal import Domain
internal import TaskQueue

extension TasksCommand {
    /// The tasks of one type.
    struct Queue: ParsableArguments {
        @Argument(help: "The type: \(TaskType.knownText).")
        var type: TaskType

        func validate() throws { try type.requireKnown() }
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

        @OptionGroup var queue: Queue
        @OptionGroup var system: SystemOptions

        @Option(help: "At most so many.")
        var running: Int?

        @Option(help: "At most so many of one exam.")
        var perExam: Int?

        func validate() throws {
            guard (running ?? 1) >= 1, (perExam ?? 1) >= 1 else {
                throw ValidationError(
                    "a limit must be at least 1; to stop a queue: zhiyue tasks pause \(queue.type)")
            }
        }

        func run() async throws {
            let type = queue.type
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

        @OptionGroup var queue: Queue
        @OptionGroup var system: SystemOptions

        func run() async throws {
            let type = queue.type
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

        @OptionGroup var queue: Queue
        @OptionGroup var system: SystemOptions

        func run() async throws {
            let type = queue.type
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
