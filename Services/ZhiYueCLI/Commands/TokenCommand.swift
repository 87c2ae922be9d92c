internal import Access
internal import ArgumentParser
internal import Audit
internal import Domain

/// Prints an access token.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Print an access token (JWT) for a user.",
        discussion: """
            It is signed with $JWT_SECRET, else with the first secret in $JWT_SECRET_FILE or DIR/jwt-secret, and noted in the audit log of the \
            running system.
            """)

    @Option(help: "Who the token is for.")
    var user: String

    @Option(help: "What the bearer may do: admin, teacher, marker, student or service.")
    var role: Role

    @Option(help: "Of a student: the number on the student's sheets.")
    var studentID: String?

    @Option(name: .customLong("ttl"), help: "How long the token is valid, in seconds.")
    var lifetime = 3600

    @OptionGroup var system: SystemOptions

    func validate() throws {
        guard UserID(user).isValid else { throw ValidationError("--user is no valid user name") }
        guard (1...TokenAuthority.longestLifetime).contains(lifetime) else {
            throw ValidationError("--ttl must be from 1 to \(TokenAuthority.longestLifetime) seconds (a year)")
        }
    }

    func run() async throws {
        let secrets = try TokenSecretSource.ofEnvironment(directory: system.files.dataDirectory).load()
        let token = try await TokenAuthority(secrets: secrets).token(
            for: UserID(user), role: role, lifetime: lifetime, studentID: studentID)
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
