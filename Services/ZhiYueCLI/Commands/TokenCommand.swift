internal import Access
internal import ArgumentParser
internal import Domain
internal import FoundationEssentials

/// Prints an access token.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Print an access token (JWT) for a user.",
        discussion: "It is signed with $JWT_SECRET, else with the secret in DIR/jwt-secret.")

    @Option(help: "Who the token is for.")
    var user: String

    @Option(help: "What the bearer may do: admin, teacher, marker, student or service.")
    var role: Role

    @Option(name: .customLong("ttl"), help: "How long the token is valid, in seconds.")
    var lifetime = 3600

    @OptionGroup var files: DataOptions

    func validate() throws {
        guard UserID(user).isValid else { throw ValidationError("--user is no valid user name") }
        guard (1...315_360_000).contains(lifetime) else {
            throw ValidationError("--ttl must be from 1 to 315360000 seconds (ten years)")
        }
    }

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let directory = files.dataDirectory
        guard environment["JWT_SECRET"]?.isEmpty == false || FileManager.default.fileExists(atPath: directory) else {
            throw CommandFailure("\(directory) does not exist; give the --data of the running system, or JWT_SECRET")
        }
        let secret = try TokenSecret.load(secret: environment["JWT_SECRET"], directory: directory)
        print(try await TokenAuthority(secret: secret).token(for: UserID(user), role: role, lifetime: lifetime))
    }
}

extension Role: ExpressibleByArgument {}
