internal import Glibc

/// The password of the user `admin`, made at the first start. The gateway makes the user from it.
enum AdminPassword {
    /// 20 of 57 characters: 116 bits. Without those that look alike on paper.
    private static let alphabet = Array("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789")
    private static let length = 20

    static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return String((0..<length).compactMap { _ in alphabet.randomElement(using: &generator) })
    }

    /// Makes the file, readable by its owner only, unless it is there.
    /// - Returns: the new password, or nil when there was one.
    static func create(at path: String) throws(CommandFailure) -> String? {
        if access(path, F_OK) == 0 { return nil }
        let password = random()
        // Written aside and linked into place, so that nobody ever reads half of it and the first of two systems wins.
        let temporary = "\(path).\(getpid())"
        unlink(temporary)
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw CommandFailure("cannot write \(temporary)", errno: errno) }
        defer { unlink(temporary) }
        let line = Array("\(password)\n".utf8)
        let written = write(file, line, line.count)
        let isSafe = written == line.count && fsync(file) == 0
        guard close(file) == 0, isSafe else { throw CommandFailure("cannot write \(temporary)", errno: errno) }
        if link(temporary, path) == 0 { return password }
        guard errno == EEXIST else { throw CommandFailure("cannot make \(path)", errno: errno) }
        return nil
    }
}
