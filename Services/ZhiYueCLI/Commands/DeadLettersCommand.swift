internal import ArgumentParser
internal import Audit
internal import Domain
internal import EventBus

/// Events that a group could not handle.
struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters", abstract: "Show events that a group gave up on, give them back, or forget them.",
        subcommands: [List.self, Show.self, Requeue.self, Purge.self])

    /// Which dead letters are meant.
    struct Selection: ParsableArguments {
        @Option(help: "Only those of this group, as event-router.")
        var group: String?

        @OptionGroup var events: EventSelectionOptions

        var query: DeadLetterQuery { DeadLetterQuery(group: group, filter: events.filter) }
        var isEverything: Bool { group == nil && events.filter == EventFilter() }
    }

    /// Those of some ids, or all that match.
    struct Targets: ParsableArguments {
        @Argument(help: "Ids, as the list shows them; none for all that match the options.")
        var ids: [DeadLetterID] = []

        @OptionGroup var selection: Selection

        @Flag(help: "All there are.")
        var all = false

        func validate() throws {
            let isSelected = !selection.isEverything
            guard !ids.isEmpty || isSelected || all else {
                throw ValidationError("say which: ids, --group, --exam-id, --type, --correlation-id, or --all")
            }
            if !ids.isEmpty && (isSelected || all) {
                throw ValidationError("ids and options that select cannot be given together")
            }
        }

        /// - Throws: `CommandFailure` naming ids that are not there.
        func resolve(_ bus: EventBus) async throws -> [DeadLetterID] {
            guard !ids.isEmpty else { return try await bus.deadLetterIDs(matching: selection.query) }
            for id in ids {
                guard id.partition < bus.configuration.partitions, try await bus.deadLetter(id) != nil else {
                    throw CommandFailure("there is no dead letter \(id); see zhiyue dead-letters list")
                }
            }
            return ids
        }

        func record(_ action: AuditAction, _ count: Int, _ connection: SystemConnection) async throws {
            var details = selection.events.details
            details["count"] = "\(count)"
            details["group"] = selection.group
            if !ids.isEmpty { details["ids"] = ids.map(\.description).joined(separator: ",") }
            try await connection.audit.append(
                Operator.entry(
                    action, subject: "dead-letters", examID: selection.events.filter.examID, details: details))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show dead letters by partition, the oldest first in each.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var selection: Selection

        @Option(help: "At most so many.")
        var limit = 1000

        @Flag(help: "A JSON object a line, with the event.")
        var json = false

        func validate() throws {
            guard limit > 0 else { throw ValidationError("--limit must be at least 1") }
        }

        func run() async throws {
            try await system.withConnection { connection in
                var query = selection.query
                var rest = limit
                if !json { print(DeadLetterText.header) }
                repeat {
                    query.limit = min(rest, 200)
                    let page = try await connection.bus.deadLetters(query)
                    for letter in page.deadLetters {
                        print(json ? String(decoding: try letter.json(), as: UTF8.self) : DeadLetterText.line(letter))
                    }
                    rest -= page.deadLetters.count
                    query.cursor = page.next
                } while query.cursor != nil && rest > 0
                if query.cursor != nil { writeError("zhiyue: there is more; raise --limit") }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a dead letter: why it is one, and its event.")

        @Argument(help: "Its id, as the list shows it.")
        var id: DeadLetterID

        @OptionGroup var system: SystemOptions

        @Flag(help: "As JSON, for programs.")
        var json = false

        func run() async throws {
            try await system.withConnection { connection in
                guard id.partition < connection.bus.configuration.partitions,
                    let letter = try await connection.bus.deadLetter(id)
                else { throw CommandFailure("there is no dead letter \(id); see zhiyue dead-letters list") }
                print(json ? String(decoding: try letter.json(), as: UTF8.self) : try DeadLetterText.text(letter))
            }
        }
    }

    struct Requeue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give events back to the group that failed on them.",
            discussion: "They come behind what is in the stream now; those of an exam keep their order.")

        @OptionGroup var targets: Targets
        @OptionGroup var system: SystemOptions

        @Flag(help: "As JSON, for programs.")
        var json = false

        func run() async throws {
            try await system.withConnection { connection in
                let ids = try await targets.resolve(connection.bus)
                if !ids.isEmpty { try await targets.record(.deadLettersRequeued, ids.count, connection) }
                let count = try await connection.bus.requeue(ids)
                print(json ? #"{"requeued":\#(count)}"# : "\(count) given back")
                guard count == ids.count else {
                    throw CommandFailure(
                        "\(ids.count - count) of \(ids.count) stay: their events were removed before they could be kept"
                    )
                }
            }
        }
    }

    struct Purge: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Forget dead letters for good.")

        @OptionGroup var targets: Targets
        @OptionGroup var system: SystemOptions

        @Flag(help: "As JSON, for programs.")
        var json = false

        func run() async throws {
            try await system.withConnection { connection in
                let ids = try await targets.resolve(connection.bus)
                if !ids.isEmpty { try await targets.record(.deadLettersPurged, ids.count, connection) }
                let count = try await connection.bus.purge(ids)
                print(json ? #"{"purged":\#(count)}"# : "\(count) forgotten")
            }
        }
    }
}

extension DeadLetterID: ExpressibleByArgument {
    init?(argument: String) {
        self.init(argument)
    }
}

/// Dead letters as people read them.
enum DeadLetterText {
    private static let columns = TextColumns(widths: [22, 25, 15, 26, 19, 6])

    static let header = columns.line(["ID", "FAILED", "GROUP", "HANDLER", "TYPE", "TRIES", "ERROR"])

    static func line(_ letter: DeadLetter) -> String {
        columns.line([
            letter.id.description, letter.failedAt.rfc3339, letter.group, letter.handler,
            letter.event?.type.rawValue ?? "(gone)", "\(letter.deliveries)",
            letter.error.split(whereSeparator: \.isNewline).first.map { String($0) } ?? "",
        ])
    }

    static func text(_ letter: DeadLetter) throws -> String {
        let event = try letter.event.map { String(decoding: try EventCodec.cloudEventJSON($0), as: UTF8.self) }
        return """
            id          \(letter.id)
            failed      \(letter.failedAt.rfc3339)
            group       \(letter.group)
            handler     \(letter.handler)
            deliveries  \(letter.deliveries)
            position    \(letter.original) in partition \(letter.id.partition)
            error       \(letter.error)
            event       \(event ?? "removed before it could be kept")
            """
    }
}
