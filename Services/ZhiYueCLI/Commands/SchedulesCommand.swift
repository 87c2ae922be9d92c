internal import ArgumentParser
internal import Audit
internal import Domain
internal import TaskQueue

/// Work that recurs.
struct SchedulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedules", abstract: "Work that recurs: show, set and remove it.",
        subcommands: [List.self, Set.self, Remove.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show schedules and when each is due next.")

        @OptionGroup var system: SystemOptions

        @Flag(help: "A JSON object a line.")
        var json = false

        func run() async throws {
            let columns = TextColumns(widths: [30, 18, 20, 18, 25])
            try await system.withConnection { connection in
                if !json { print(columns.line(["NAME", "TYPE", "WHEN", "ZONE", "NEXT", "PAYLOAD"])) }
                for type in TaskType.known {
                    for placed in try await connection.queue.schedules(type: type) {
                        let schedule = placed.schedule
                        print(
                            json
                                ? try JSON.string(placed)
                                : columns.line([
                                    schedule.name, type.rawValue, schedule.cron.text, schedule.zone,
                                    placed.next?.rfc3339 ?? "-", try JSON.string(schedule.payload),
                                ]))
                    }
                }
            }
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a schedule, or change the one of that name.",
            discussion: """
                Each time, one task is submitted, however many workers there are. Times that pass while no worker is \
                there are left out but for one.
                """)

        @Argument(help: "Its name.")
        var name: String

        @Argument(help: "The type of its tasks: \(TaskType.knownText).")
        var type: TaskType

        @Argument(help: "Their payload as JSON.")
        var payload: String

        @Option(help: "When, as cron says it: \"30 2 * * 1-5\", @daily.")
        var cron: String

        @Option(help: "The time zone: Asia/Shanghai.")
        var zone = "UTC"

        @Option(help: "high, normal or low (default: the type's own).")
        var priority: TaskPriority?

        @Option(help: "The exam they belong to.")
        var examID: String?

        @OptionGroup var system: SystemOptions

        func validate() throws { try type.requireKnown() }

        func run() async throws {
            guard let payloadType = TaskCatalog.all.first(where: { $0.type == type }) else { return }
            let bytes = Array(payload.utf8)
            _ = try TasksCommand.Submit.identifier(payloadType, bytes)
            try await system.withConnection { connection in
                let schedule = TaskSchedule(
                    name: name, type: type, cron: try CronExpression(cron), zone: zone,
                    payload: try JSON.decode(JSONValue.self, from: bytes),
                    priority: priority ?? payloadType.defaultPriority, examID: examID.map { ExamID($0) })
                let placed = try await connection.queue.put(schedule)
                try await connection.audit.append(
                    Operator.entry(
                        .scheduleSet, subject: name, examID: schedule.examID,
                        details: ["type": type.rawValue, "cron": cron, "zone": zone]))
                print("\(name) is due next at \(placed.next?.rfc3339 ?? "no time")")
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a schedule and its task that waits for its time.")

        @Argument(help: "Its name.")
        var name: String

        @Argument(help: "The type of its tasks: \(TaskType.knownText).")
        var type: TaskType

        @OptionGroup var system: SystemOptions

        func validate() throws { try type.requireKnown() }

        func run() async throws {
            try await system.withConnection { connection in
                guard try await connection.queue.removeSchedule(type: type, name: name) else {
                    throw CommandFailure("there is no schedule \(name) of type \(type); see zhiyue tasks schedules")
                }
                try await connection.audit.append(
                    Operator.entry(.scheduleRemoved, subject: name, details: ["type": type.rawValue]))
                print("\(name) removed")
            }
        }
    }
}
