internal import Glibc

/// The folder that holds everything one system keeps: Redis's files, scans, logs, secrets.
///
/// While it is open it is locked: alone by a system with a private Redis, shared by systems that use one Redis elsewhere
/// and so must see the same scans.
final class DataDirectory: Sendable {
    enum Sharing: Sendable {
        case exclusive
        case shared
    }

    /// Absolute.
    let path: String
    /// 1 for the first system on this folder, 2 for the second, …
    let slot: Int
    private let locks: [Int32]

    var adminPasswordFile: String { "\(path)/admin-password" }
    var redisSocket: String { "\(path)/redis.sock" }
    var redisDirectory: String { "\(path)/redis" }
    var logDirectory: String { slot == 1 ? "\(path)/logs" : "\(path)/logs/\(slot)" }

    /// Creates what is missing of the folder and locks it.
    init(path: String, sharing: Sharing) throws(CommandFailure) {
        try Self.makeDirectory(path)
        guard let resolved = realpath(path, nil) else { throw CommandFailure("cannot use \(path)", errno: errno) }
        defer { free(resolved) }
        self.path = String(cString: resolved)
        let mode = sharing == .exclusive ? LOCK_EX : LOCK_SH
        guard let lock = try Self.lock("\(self.path)/lock", mode) else {
            throw CommandFailure("\(self.path) is in use by another zhiyue; stop that one or give another --data")
        }
        var slot = 1
        var slotLock = try Self.lock("\(self.path)/lock.\(slot)", LOCK_EX)
        while slotLock == nil {
            slot += 1
            slotLock = try Self.lock("\(self.path)/lock.\(slot)", LOCK_EX)
        }
        self.slot = slot
        locks = [lock] + [slotLock].compactMap { $0 }
        try Self.makeDirectory("\(self.path)/logs")
        try Self.makeDirectory(logDirectory)
    }

    deinit {
        for lock in locks {
            // A child between fork and exec still has it open.
            flock(lock, LOCK_UN)
            close(lock)
        }
    }

    static func makeDirectory(_ path: String) throws(CommandFailure) {
        var partial = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            partial += partial.isEmpty || partial == "/" ? String(part) : "/\(part)"
            guard mkdir(partial, 0o700) == 0 || errno == EEXIST else {
                throw CommandFailure("cannot make \(partial)", errno: errno)
            }
        }
    }

    /// - Returns: nil when another process holds it.
    private static func lock(_ path: String, _ mode: Int32) throws(CommandFailure) -> Int32? {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw CommandFailure("cannot write \(path)", errno: errno) }
        if flock(file, mode | LOCK_NB) == 0 { return file }
        let code = errno
        close(file)
        guard code == EWOULDBLOCK else { throw CommandFailure("cannot lock \(path)", errno: code) }
        return nil
    }
}
