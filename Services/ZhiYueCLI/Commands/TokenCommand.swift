internal import Access
internal import ArgumentParser
internal import Audit
internal import Domain
internal import FoundationEssentials

/// Prints an access token.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Print an access token (JWT) for a user.",
        discussion: """
            It is signed with $JWT_SECRET, else with the secret in DIR/jwt-secret, and noted in the audit log of the \
            running system.
            """)

    @Option(help: "Who the token is for.")
    var user: String

    @Option(help: "What the bearer may do: admin, teacher, marker, student or service.")
    var role: Role

    @Option(name: .customLong("ttl"), help: "How long the token is valid, in seconds.")
    var lifetime = 3600

    @OptionGroup var system: SystemOptions

    func validate() throws {
        guard UserID(user).isValid else { throw ValidationError("--user is no valid user name") }
        guard (1...315_360_000).contains(lifetime) else {
            throw ValidationError("--ttl must be from 1 to 315360000 seconds (ten years)")
        }
    }

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let directory = system.files.dataDirectory
        guard environment["JWT_SECRET"]?.isEmpty == false || FileManager.default.fileExists(atPath: directory) else {
            throw CommandFailure("\(directory) does not exist; give the --data of the running system, or JWT_SECRET")
        }
        let secret = try TokenSecret.load(secret: environment["JWT_SECRET"], directory: directory)
        let token = try await TokenAuthority(secret: secret).token(for: UserID(user), role: role, lifetime: lifetime)
        do {
            try await record()
        } catch {
            // Whoever has the secret can sign without this command: to refuse would help nobody.
            writeError("zhiyue: not noted in the audit log: \(error)")
        }
        print(token)
    }

    private func record() async throws {
        try await system.withConnection { connection in
            try await connection.requireAnswer()
            try await connection.audit.append(
                Operator.entry(
                    .tokenIssued, subject: "user/\(user)",
                    details: ["role": role.rawValue, "seconds": "\(lifetime)"]))
        }
    }
}

extension Role: ExpressibleByArgument {}
