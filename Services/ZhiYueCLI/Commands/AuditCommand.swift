internal import ArgumentParser
internal import Audit
internal import Domain

/// Shows who did what.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Show who did what, when and from where.",
        subcommands: [List.self, Export.self])

    /// Which entries are meant.
    struct Selection: ParsableArguments {
        @OptionGroup var range: TimeRangeOptions

        @Option(parsing: .upToNextOption, help: "Only these actions, as sign_in.refused.")
        var action: [String] = []

        @Option(help: "Only what this user did; os:NAME for one of the command line.")
        var actor: String?

        @Option(help: "Only what was done about this exam.")
        var examID: String?

        @Option(help: "Only what belongs to this chain.")
        var correlationID: String?

        func validate() throws {
            let known = AuditAction.all.map(\.rawValue)
            if let wrong = action.first(where: { !known.contains($0) }) {
                throw ValidationError("\(wrong) is no action; there are \(known.joined(separator: ", "))")
            }
        }

        func query(_ order: AuditQuery.Order) -> AuditQuery {
            AuditQuery(
                actions: Set(action.map { AuditAction($0) }), actor: actor, examID: examID.map { ExamID($0) },
                correlationID: correlationID.map { CorrelationID($0) }, from: range.since?.time, to: range.until?.time,
                order: order)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show entries, the newest first.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var selection: Selection

        @Option(help: "At most so many.")
        var limit = 100

        @Flag(help: "A JSON object a line.")
        var json = false

        func validate() throws {
            guard limit > 0 else { throw ValidationError("--limit must be at least 1") }
        }

        func run() async throws {
            try await system.withConnection { connection in
                if !json { print(AuditText.header) }
                try await connection.audit.each(selection.query(.newestFirst), limit: limit) { record in
                    print(json ? try JSON.string(record) : AuditText.line(record))
                }
            }
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print all entries, the oldest first, to be kept elsewhere.",
            discussion: "The export is an entry of the log itself.")

        @OptionGroup var system: SystemOptions
        @OptionGroup var selection: Selection

        @Flag(help: "A JSON object a line, which is the default.")
        var json = false

        @Flag(help: "Comma-separated values with a header (RFC 4180).")
        var csv = false

        func validate() throws {
            if json && csv { throw ValidationError("--json and --csv cannot be given together") }
        }

        func run() async throws {
            try await system.withConnection { connection in
                try await connection.audit.append(
                    Operator.entry(
                        .auditExported, subject: "audit", examID: selection.examID.map { ExamID($0) },
                        details: ["format": csv ? "csv" : "json"]))
                if csv { print(AuditText.csvHeader, terminator: "\r\n") }
                try await connection.audit.each(selection.query(.oldestFirst), limit: .max) { record in
                    if csv {
                        print(try AuditText.csvLine(record), terminator: "\r\n")
                    } else {
                        print(try JSON.string(record))
                    }
                }
            }
        }
    }
}

extension AuditLog {
    /// Calls `body` with every entry, page by page.
    func each(_ query: AuditQuery, limit: Int, _ body: (AuditRecord) throws -> Void) async throws {
        var query = query
        var rest = limit
        repeat {
            query.limit = min(rest, 500)
            let page = try await list(query)
            for record in page.records { try body(record) }
            rest -= page.records.count
            query.cursor = page.next
        } while query.cursor != nil && rest > 0
    }
}

/// Audit entries as people and spreadsheets read them.
enum AuditText {
    private static let columns = TextColumns(widths: [25, 22, 18, 18, 42])

    static let header = columns.line(["TIME", "ACTION", "ACTOR", "FROM", "SUBJECT", "DETAILS"])
    static let csvHeader = "id,time,action,actor,address,source,subject,exam_id,correlation_id,details"

    static func line(_ record: AuditRecord) -> String {
        let entry = record.entry
        let details = entry.details.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return columns.line([
            record.time.rfc3339, entry.action.rawValue, entry.actor ?? "-", entry.address ?? "-", entry.subject,
            details.joined(separator: " "),
        ])
    }

    static func csvLine(_ record: AuditRecord) throws -> String {
        let entry = record.entry
        return [
            record.id.description, record.time.rfc3339, entry.action.rawValue, entry.actor ?? "", entry.address ?? "",
            entry.source, entry.subject, entry.examID?.rawValue ?? "", entry.correlationID?.rawValue ?? "",
            try JSON.string(entry.details),
        ].map(csvCell).joined(separator: ",")
    }

    /// A cell that begins like a formula is made plain text, since people open such files in spreadsheets.
    static func csvCell(_ text: String) -> String {
        let isFormula = text.unicodeScalars.first.map { "=+-@\t\r".unicodeScalars.contains($0) } ?? false
        let plain = isFormula ? "'" + text : text
        guard plain.unicodeScalars.contains(where: { "\",\r\n".unicodeScalars.contains($0) }) else { return plain }
        return "\"" + plain.replacing("\"", with: "\"\"") + "\""
    }
}
