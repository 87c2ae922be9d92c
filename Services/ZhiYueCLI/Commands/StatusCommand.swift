internal import ArgumentParser
internal import Domain
internal import FoundationEssentials

/// Shows what runs and what waits.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the services, the task queues and the event streams.")

    @OptionGroup var system: SystemOptions

    @Flag(help: "As JSON, for programs.")
    var json = false

    func run() async throws {
        let report = try await system.withConnection { try await StatusReport(of: $0) }
        print(json ? try JSON.string(report) : report.table)
    }
}
