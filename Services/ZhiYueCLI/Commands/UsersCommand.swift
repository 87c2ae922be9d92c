internal import Access
internal import Accounts
internal import ArgumentParser
internal import Domain

/// Who may sign in.
struct UsersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "users", abstract: "Who may sign in: show, add and change users.",
        discussion: """
            Passwords are never arguments, which everybody on the machine could read: they are made here and shown \
            once, or read from standard input. Every change is an entry of the audit log and voids what the user was \
            granted before.
            """,
        subcommands: [
            List.self, Add.self, Disable.self, Enable.self, Password.self, Unlock.self, Remove.self,
            SessionsCommand.self,
        ],
        defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show users by name.")

        @OptionGroup var system: SystemOptions

        @Option(help: "Only those of this role.")
        var role: Role?

        @Flag(help: "A JSON object a line.")
        var json = false

        func run() async throws {
            let columns = TextColumns(widths: [30, 10, 10, 22, 25])
            try await system.withConnection { connection in
                if !json { print(columns.line(["NAME", "ROLE", "STATE", "STUDENT", "CREATED"])) }
                var cursor: String?
                repeat {
                    let page = try await connection.accounts.users(role: role, cursor: cursor, limit: 500)
                    for user in page.users {
                        print(
                            json
                                ? try JSON.string(UserLine(user))
                                : columns.line([
                                    user.id.rawValue, user.role.rawValue, user.isDisabled ? "disabled" : "enabled",
                                    user.studentID ?? "-", user.createdAt.rfc3339,
                                ]))
                    }
                    cursor = page.nextCursor
                } while cursor != nil
            }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add a user, and print the password made for it.")

        @OptionGroup var target: UserArgument

        @Option(help: "What the user may do: admin, teacher, marker, student or service.")
        var role: Role

        @Option(help: "Of a student: the number on the student's sheets.")
        var studentID: String?

        @OptionGroup var password: PasswordOptions
        @OptionGroup var system: SystemOptions

        func validate() throws {
            guard let studentID else { return }
            guard role == .student else { throw ValidationError("--student-id is for the role student alone") }
            guard Domain.User.isStudentNumber(studentID) else {
                throw ValidationError("--student-id must be 1 to 20 digits")
            }
        }

        func run() async throws {
            let (text, hash) = try password.make(for: target.id)
            let user = Domain.User(
                id: target.id, role: role, passwordHash: hash.text, createdAt: .now, studentID: studentID)
            try await system.withConnection { try await $0.accounts.create(user, by: Operator.author) }
            password.show(text)
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a user sign in no more, and void what it was granted.")

        @OptionGroup var target: UserArgument
        @OptionGroup var system: SystemOptions

        func run() async throws {
            try await system.change(target.id) { if !$0.isDisabled { $0.disabledAt = .now } }
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let a disabled user sign in again.")

        @OptionGroup var target: UserArgument
        @OptionGroup var system: SystemOptions

        func run() async throws {
            try await system.change(target.id) { $0.disabledAt = nil }
        }
    }

    struct Password: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a user another password, and print it unless it was given.")

        @OptionGroup var target: UserArgument
        @OptionGroup var password: PasswordOptions
        @OptionGroup var system: SystemOptions

        func run() async throws {
            let (text, hash) = try password.make(for: target.id)
            try await system.change(target.id) { $0.passwordHash = hash.text }
            password.show(text)
        }
    }

    struct Unlock: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a user sign in again after too many failures.",
            discussion: "Needs the secret of the system, as `zhiyue token` does: names are counted by it.")

        @OptionGroup var target: UserArgument
        @OptionGroup var system: SystemOptions

        func run() async throws {
            let secrets = try TokenSecretSource.ofEnvironment(directory: system.files.dataDirectory).load()
            guard let secret = secrets.first else { throw CommandFailure("there is no secret") }
            try await system.withConnection { connection in
                guard try await connection.accounts.user(target.id) != nil else {
                    throw CommandFailure("there is no user \(target.id)")
                }
                try await connection.accounts.unlock(
                    target.id, nameDigest: secret.digest(of: target.id.rawValue), by: Operator.author)
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a user. Its exams stay; who gets the name later gets them too.")

        @OptionGroup var target: UserArgument
        @OptionGroup var system: SystemOptions

        func run() async throws {
            try await system.withConnection { connection in
                _ = try await connection.accounts.remove(target.id, by: Operator.author)
            }
        }
    }
}

/// What users hold: sessions and tokens.
struct SessionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sessions", abstract: "What users were granted: void it.", subcommands: [Revoke.self])

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Void every session and access token a user has, on all gateways at once.",
            discussion: "Tokens of `zhiyue token` and of outside issuers too. The user may sign in again.")

        @OptionGroup var target: UserArgument
        @OptionGroup var system: SystemOptions

        func run() async throws {
            try await system.withConnection { connection in
                _ = try await connection.accounts.revokeAll(of: target.id, by: Operator.author)
            }
        }
    }
}

struct UserArgument: ParsableArguments {
    @Argument(help: "The user's name.")
    var name: String

    var id: UserID { UserID(name) }

    func validate() throws {
        guard id.isValid else {
            throw ValidationError("a user's name is 1 to 64 ASCII letters, digits, _, -, . or @")
        }
    }
}

extension SystemOptions {
    fileprivate func change(_ user: UserID, _ body: @Sendable (inout User) -> Void) async throws {
        try await withConnection { connection in
            _ = try await connection.accounts.change(user, by: Operator.author, body)
        }
    }
}

/// A user as programs read it: all but the password's hash.
private struct UserLine: Encodable {
    let id: UserID
    let role: Role
    let disabled: Bool
    let studentID: String?
    let createdAt: Timestamp

    init(_ user: User) {
        id = user.id
        role = user.role
        disabled = user.isDisabled
        studentID = user.studentID
        createdAt = user.createdAt
    }

    enum CodingKeys: String, CodingKey {
        case id, role, disabled
        case studentID = "student_id"
        case createdAt = "created_at"
    }
}
