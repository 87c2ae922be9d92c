internal import ArgumentParser
internal import Domain
internal import EventBus

/// Looks at what happened.
struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Show events: those that happened, and those that happen.",
        subcommands: [History.self, Tail.self])

    /// Which events are meant.
    struct Selection: ParsableArguments {
        @Option(help: "Only events of this exam.")
        var examID: String?

        @Option(parsing: .upToNextOption, help: "Only events of these types, as ocr.completed.")
        var type: [String] = []

        @Option(help: "Only events of this chain, from the request that began it to its last effect.")
        var correlationID: String?

        var filter: EventFilter {
            EventFilter(
                examID: examID.map { ExamID($0) }, types: Set(type.map { EventType($0) }),
                correlationID: correlationID.map { CorrelationID($0) })
        }
    }

    /// How events are printed.
    struct Output: ParsableArguments {
        @Flag(help: "A CloudEvents JSON object a line.")
        var json = false

        func line(_ stored: StoredEvent) throws -> String {
            if json { return String(decoding: try EventCodec.cloudEventJSON(stored), as: UTF8.self) }
            let event = stored.event
            func padded(_ text: String, _ width: Int) -> String {
                text + String(repeating: " ", count: max(1, width - text.count))
            }
            return [
                padded(event.time.rfc3339, 25), padded(event.type.rawValue, 21), padded(event.source, 24),
                padded(event.subject, 70), event.correlationID.rawValue,
            ].joined()
        }
    }

    struct History: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show events that happened, the oldest first.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var selection: Selection
        @OptionGroup var output: Output

        @Option(help: "Not before this time, as 2026-11-22T08:00:00Z.")
        var from: String?

        @Option(help: "Not after this time.")
        var to: String?

        @Option(help: "At most so many events.")
        var limit = 1000

        func validate() throws {
            guard limit > 0 else { throw ValidationError("--limit must be at least 1") }
            _ = try (from.map(Self.time), to.map(Self.time))
        }

        func run() async throws {
            let (from, to) = try (from.map(Self.time), to.map(Self.time))
            try await system.withConnection { connection in
                var rest = limit
                var cursor: EventCursor?
                repeat {
                    let page = try await connection.bus.history(
                        EventQuery(filter: selection.filter, from: from, to: to, cursor: cursor, limit: min(rest, 500)))
                    for stored in page.events { print(try output.line(stored)) }
                    rest -= page.events.count
                    cursor = page.next
                } while cursor != nil && rest > 0
            }
        }

        private static func time(_ text: String) throws -> Timestamp {
            guard let time = Timestamp(rfc3339: text) else {
                throw ValidationError("\(text) is no time such as 2026-11-22T08:00:00Z")
            }
            return time
        }
    }

    struct Tail: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show events as they happen, until Ctrl-C.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var selection: Selection
        @OptionGroup var output: Output

        func run() async throws {
            try await system.withConnection { connection in
                for try await stored in connection.bus.tail(filter: selection.filter) {
                    print(try output.line(stored))
                    flushStandardOutput()
                }
            }
        }
    }
}
