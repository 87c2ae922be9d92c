internal import ArgumentParser
internal import Domain
internal import EventBus

/// Looks at what happened.
struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Show what happened and what happens, and have it handled again.",
        subcommands: [
            History.self, Tail.self, ReplayCommand.self, ReplaysCommand.self, HandlersCommand.self,
        ])

    /// How events are printed.
    struct Output: ParsableArguments {
        @Flag(help: "A CloudEvents JSON object a line.")
        var json = false

        private static let columns = TextColumns(widths: [25, 21, 24, 70])

        var header: String? {
            json ? nil : Self.columns.line(["TIME", "TYPE", "SOURCE", "SUBJECT", "CORRELATION"])
        }

        func line(_ stored: StoredEvent) throws -> String {
            if json { return String(decoding: try EventCodec.cloudEventJSON(stored), as: UTF8.self) }
            let event = stored.event
            return Self.columns.line([
                event.time.rfc3339, event.type.rawValue, event.source, event.subject, event.correlationID.rawValue,
            ])
        }
    }

    struct History: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show events that happened, the oldest first.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var selection: EventSelectionOptions
        @OptionGroup var range: TimeRangeOptions
        @OptionGroup var output: Output

        @Option(help: "At most so many events.")
        var limit = 1000

        func validate() throws {
            guard limit > 0 else { throw ValidationError("--limit must be at least 1") }
        }

        func run() async throws {
            try await system.withConnection { connection in
                var rest = limit
                var query = EventQuery(filter: selection.filter, from: range.since?.time, to: range.until?.time)
                if let header = output.header { print(header) }
                repeat {
                    query.limit = min(rest, 500)
                    let page = try await connection.bus.history(query)
                    for stored in page.events { print(try output.line(stored)) }
                    rest -= page.events.count
                    query.cursor = page.next
                } while query.cursor != nil && rest > 0
                if query.cursor != nil { writeError("zhiyue: there is more; raise --limit") }
            }
        }
    }

    struct Tail: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show events as they happen, until Ctrl-C.",
            discussion: "A loss of the connection is waited out without a gap.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var selection: EventSelectionOptions
        @OptionGroup var output: Output

        @Option(help: "Begin with events of this time, \(TimeArgument.help), instead of now.")
        var since: TimeArgument?

        @Option(help: "End after so many events.")
        var count: Int?

        func validate() throws {
            if let count, count < 1 { throw ValidationError("--count must be at least 1") }
        }

        func run() async throws {
            try await system.withConnection { connection in
                var rest = count ?? .max
                if let header = output.header { print(header) }
                flushStandardOutput()
                let start = since.map { TailStart.time($0.time) } ?? .now
                for try await stored in connection.bus.tail(from: start, filter: selection.filter) {
                    print(try output.line(stored))
                    flushStandardOutput()
                    rest -= 1
                    if rest == 0 { return }
                }
            }
        }
    }
}
