internal import ArgumentParser
internal import Domain
internal import FoundationEssentials
internal import Logging
internal import ScanReader

/// `zhiyue recognize`: reads scans of a sheet and prints what is on them. Needs no Redis and no running system.
struct RecognizeCommand: AsyncParsableCommand {
    enum Format: String, CaseIterable, ExpressibleByArgument {
        case zhiyue, omrchecker
    }

    static let configuration = CommandConfiguration(
        commandName: "recognize", abstract: "Read scans of a sheet and print what is marked and written on them.",
        discussion: "Exit status 1 when a scan could not be read; the others are read all the same.")

    @Option(help: "The sheet: the JSON of GET /api/exams/{id}/layout, or OMRChecker's template.json.")
    var template: String

    @Option(help: "What the template is: \(Format.allCases.map(\.rawValue).joined(separator: " or ")).")
    var format = Format.zhiyue

    @Flag(help: "One JSON object a page, a line each.")
    var json = false

    @Option(help: "Pages read at the same time, 1 to 64.")
    var workers = 2

    @Argument(help: "PNG, JPEG, TIFF, PDF or ZIP files.")
    var images: [String]

    func validate() throws {
        guard (1...64).contains(workers) else { throw ValidationError("--workers is 1 to 64.") }
    }

    func run() async throws {
        let sheet = try sheet()
        var log = Logger(label: "zhiyue", factory: { StreamLogHandler.standardError(label: $0) })
        log.logLevel = .error
        let reader = ScanReader(configuration: ScanReaderConfiguration(), workers: workers, logger: log)
        let complete = await RecognizeRun(reader: reader, sheet: sheet, json: json, window: workers).run(images)
        await reader.shutdown()
        if !complete { throw ExitCode(1) }
    }

    private func sheet() throws -> RecognizeRun.Sheet {
        // The reader process works in another folder.
        let path = template.hasPrefix("/") ? template : FileManager.default.currentDirectoryPath + "/" + template
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw TemplateError(message: "The template \(template) cannot be read. Check its name and permissions.")
        }
        switch format {
        case .omrchecker:
            return .template(path)
        case .zhiyue:
            guard let layout = try? JSON.decode(SheetLayout.self, from: bytes) else {
                throw TemplateError(
                    message: "The template \(template) is not the JSON of GET /api/exams/{id}/layout. For OMRChecker's "
                        + "template.json add --format omrchecker.")
            }
            return .layout(layout)
        }
    }

    private struct TemplateError: Error, CustomStringConvertible {
        var message: String
        var description: String { message }
    }
}
