internal import ArgumentParser
internal import Glibc

/// The operator's command line. A new command is a file in `Commands/` and a line here.
struct ZhiYueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "zhiyue",
        abstract: "Marks paper exams: runs the system and works with it.",
        subcommands: [
            UpCommand.self,
            DemoCommand.self,
            StatusCommand.self,
            EventsCommand.self,
            DeadLettersCommand.self,
            TasksCommand.self,
            AuditCommand.self,
            UsersCommand.self,
            BenchCommand.self,
            TokenCommand.self,
            KeysCommand.self,
            RecognizeCommand.self,
        ])
}

/// Exit status: 0 done, 1 failed (a line on standard error says what and what to do), 2 wrong usage.
@main
enum Entrypoint {
    static func main() async {
        do {
            var command = try ZhiYueCommand.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            exit(report(error))
        }
    }

    private static func report(_ error: any Error) -> Int32 {
        switch ZhiYueCommand.exitCode(for: error) {
        case .success:
            // Help and version arrive as errors.
            print(ZhiYueCommand.fullMessage(for: error))
            return 0
        case .validationFailure:
            writeError(ZhiYueCommand.fullMessage(for: error))
            return 2
        case let code where error is ExitCode:
            return code.rawValue
        default:
            writeError("zhiyue: \(error)")
            return 1
        }
    }
}
