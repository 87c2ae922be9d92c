internal import Access
internal import ArgumentParser
internal import Domain
internal import Glibc

/// Where a user's new password comes from: made here, or standard input.
struct PasswordOptions: ParsableArguments {
    @Flag(help: "Read the password from standard input, unseen when that is a terminal, instead of making one.")
    var passwordStdin = false

    /// - Throws: `CommandFailure` when none can be read or it is no good.
    func make(for user: UserID) throws -> (text: String, hash: PasswordHash) {
        let text = passwordStdin ? try Self.read() : AdminPassword.random()
        if let fault = PasswordRule.fault(in: text, of: user) { throw CommandFailure("the password \(fault)") }
        return (text, try PasswordHash(password: text, cost: .current))
    }

    /// Prints a password that nobody knows yet.
    func show(_ text: String) {
        if !passwordStdin { print(text) }
    }

    private static func read() throws -> String {
        guard isatty(STDIN_FILENO) == 1 else { return try line() }
        var settings = termios()
        guard tcgetattr(STDIN_FILENO, &settings) == 0 else {
            throw CommandFailure("cannot hide the input", errno: errno)
        }
        var unseen = settings
        unseen.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen)
        defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings) }
        writeError("Password:")
        let first = try line()
        writeError("Once more:")
        guard try line() == first else { throw CommandFailure("the passwords differ") }
        return first
    }

    private static func line() throws -> String {
        guard let line = readLine(strippingNewline: true), !line.isEmpty else {
            throw CommandFailure("there is no password on standard input")
        }
        return line
    }
}
