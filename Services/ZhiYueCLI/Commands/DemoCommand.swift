internal import ArgumentParser
internal import FoundationEssentials
internal import Glibc
internal import SheetSimulation
internal import Synchronization

/// Marks a simulated exam and checks every mark.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Mark a simulated exam and compare every mark with the truth.",
        discussion: """
            Creates an exam, fills and scans sheets with a simulated pen and scanner, uploads them through the REST API \
            and compares what comes back. Without --url it starts a system of its own and stops it afterwards. Exit \
            status 1 if a mark is wrong without a flag or a sheet is missing.
            """)

    @Option(help: "Number of students.")
    var sheets = 50

    @Option(help: "Number of questions.")
    var questions = 40

    @Option(help: "The same seed gives the same sheets.")
    var seed: UInt64 = 1

    @Option(help: "Upload all sheets as one file: pdf, tiff or zip.")
    var oneFile: BoundScans.Format?

    @Flag(help: "Print only the closing line of JSON on standard output.")
    var json = false

    @Option(help: "Use the system at this address, as http://127.0.0.1:8080, with --data or --token to sign in.")
    var url: String?

    @Option(help: "A token of a teacher or administrator (default: sign in as admin with DIR/admin-password).")
    var token: String?

    @OptionGroup var files: DataOptions

    func validate() throws {
        guard (1...100_000).contains(sheets) else { throw ValidationError("--sheets must be from 1 to 100000") }
        guard (1...300).contains(questions) else { throw ValidationError("--questions must be from 1 to 300") }
    }

    func run() async throws {
        let report: DemoReport
        if let url {
            report = try await demonstrate(at: url, passwordFile: "\(files.dataDirectory)/admin-password")
        } else {
            report = try await demonstrateOnOwnSystem()
        }
        for problem in report.problems.prefix(20) { writeError(problem) }
        if report.problems.count > 20 { writeError("… and \(report.problems.count - 20) more") }
        if !json { print(report.table()) }
        print(try report.json())
        if !report.hasPassed { throw ExitCode(1) }
    }

    private func demonstrate(at url: String, passwordFile: String) async throws -> DemoReport {
        var client = APIClient(base: url.hasSuffix("/") ? String(url.dropLast()) : url)
        if let token {
            client.token = token
        } else {
            guard let password = try? String(contentsOfFile: passwordFile, encoding: .utf8) else {
                throw CommandFailure("\(passwordFile) cannot be read; name the system's data directory with --data")
            }
            try await client.signIn(
                user: "admin", password: String(password.prefix { !$0.isNewline }))
        }
        return try await DemoRun(
            client: client, students: sheets, questions: questions, seed: seed, oneFile: oneFile,
            progress: DemoProgress()
        ).run()
    }

    private func demonstrateOnOwnSystem() async throws -> DemoReport {
        var template = Array("/tmp/zhiyue-demo-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw CommandFailure("cannot create a folder in /tmp", errno: errno) }
        let directory = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let outcome = Mutex<Result<DemoReport, any Error>?>(nil)
        let configuration = SystemConfiguration(
            port: 0, dataDirectory: directory, executableDirectory: try OwnExecutable.directory(),
            environment: ProcessInfo.processInfo.environment)
        let runner = try SystemRunner(configuration, isEphemeral: true) { system in
            do {
                let report = try await demonstrate(
                    at: system.url, passwordFile: "\(system.dataDirectory)/admin-password")
                outcome.withLock { $0 = .success(report) }
            } catch {
                outcome.withLock { $0 = .failure(error) }
            }
        }
        try await runner.run()
        guard let result = outcome.withLock({ $0 }) else {
            throw CommandFailure("the system stopped before the demonstration was done")
        }
        return try result.get()
    }
}

extension BoundScans.Format: ExpressibleByArgument {}
