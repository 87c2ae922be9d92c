internal import Access
internal import ArgumentParser
internal import Audit
internal import Domain
internal import FoundationEssentials

/// The secrets that access tokens are signed with.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "The secrets that access tokens are signed with: show their names, change them.",
        subcommands: [List.self, Rotate.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the names (kid) of the secrets, the one that signs first.")

        @OptionGroup var files: DataOptions

        @Flag(help: "A JSON object a line.")
        var json = false

        func run() async throws {
            try TokenSecretSource.ofEnvironment(directory: files.dataDirectory).load().printNames(json: json)
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sign with a new secret from now on.",
            discussion: """
                Gateways notice within seconds, without a restart. Former secrets go on verifying until they are \
                dropped by a later rotation: wait as long as tokens live ($JWT_TTL) between two. --keep 0 voids every \
                access token at once.
                """)

        @Option(help: "How many former secrets still verify, 0 to 7.")
        var keep = 1

        @OptionGroup var system: SystemOptions

        @Flag(help: "A JSON object a line.")
        var json = false

        func validate() throws {
            guard (0...7).contains(keep) else { throw ValidationError("--keep must be 0 to 7") }
        }

        func run() async throws {
            let source = try TokenSecretSource.ofEnvironment(directory: system.files.dataDirectory)
            guard source.given.isEmpty else {
                throw CommandFailure(
                    "the secret is given by JWT_SECRET: set JWT_SECRET_PREVIOUS to it and JWT_SECRET to a new one, and "
                        + "restart the gateways")
            }
            _ = try source.load()
            do {
                try await system.withConnection { connection in
                    try await connection.requireAnswer()
                    try await connection.audit.append(
                        Operator.entry(.keysRotated, subject: "keys", details: ["kept": "\(keep)"]))
                }
            } catch {
                // Secrets are changed when something is wrong; that must not wait for Redis.
                writeError("zhiyue: not noted in the audit log: \(error)")
            }
            try source.file.rotate(keeping: keep).printNames(json: json)
        }
    }
}

extension TokenSecretSource {
    /// As the gateways of the system on `directory` read it.
    static func ofEnvironment(directory: String) throws -> TokenSecretSource {
        let environment = ProcessInfo.processInfo.environment
        let (secret, path) = (environment["JWT_SECRET"] ?? "", environment["JWT_SECRET_FILE"] ?? "")
        guard !secret.isEmpty || !path.isEmpty || FileManager.default.fileExists(atPath: directory) else {
            throw CommandFailure("\(directory) does not exist; give the --data of the running system, or JWT_SECRET")
        }
        return try TokenSecretSource(
            secret: secret, previous: environment["JWT_SECRET_PREVIOUS"], path: path.isEmpty ? nil : path,
            directory: directory)
    }
}

private struct KeyLine: Encodable {
    let kid: String
    let signs: Bool
}

extension [TokenSecret] {
    fileprivate func printNames(json: Bool) throws {
        for (index, secret) in enumerated() {
            let line = KeyLine(kid: secret.keyID, signs: index == 0)
            print(json ? try JSON.string(line) : "\(line.kid)  \(line.signs ? "signs and verifies" : "verifies")")
        }
    }
}
