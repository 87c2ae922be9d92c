package import Foundation
internal import Glibc
internal import Synchronization

/// A private `redis-server` for tests: append-only file synced every second, no snapshots, on a unix socket in its own
/// temporary directory. It dies with the test process, also when that crashes.
///
/// Serves one test or one suite; `flush()` empties it between tests.
package final class RedisServer: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String

        package init(description: String) {
            self.description = description
        }
    }

    /// Holds the socket, the data and the log `redis.log`.
    package let directory: URL
    package let socketPath: String
    /// 0 when the server listens on its unix socket only.
    package let port: Int
    private let arguments: [String]
    private let isFrozen = Mutex(false)
    private let process = Mutex<WatchedProcess?>(nil)

    /// Starts a server and waits until it answers.
    /// - Parameters:
    ///   - port: A TCP port of 127.0.0.1 as well; see `freePort()`.
    ///   - arguments: More options, such as `["--maxmemory", "2mb"]`.
    package init(port: Int = 0, arguments: [String] = []) throws {
        // A unix socket's path holds at most 107 bytes, so the name is short.
        let name = "zy-" + String(UInt64.random(in: 0...(.max)), radix: 36)
        directory = FileManager.default.temporaryDirectory.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        socketPath = directory.appendingPathComponent("redis.sock").path
        self.port = port
        self.arguments =
            [
                "--port", "\(port)", "--bind", "127.0.0.1", "--unixsocket", socketPath, "--dir", directory.path,
                "--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--daemonize", "no",
                "--logfile", directory.appendingPathComponent("redis.log").path,
            ] + arguments
        try start()
    }

    deinit {
        stop()
    }

    package var url: String { "unix://\(socketPath)" }
    package var tcpURL: String { "redis://127.0.0.1:\(port)" }

    /// A TCP port nobody listens on just now.
    package static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(description: "socket: \(errno)") }
        defer { Glibc.close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, length) == 0 ? getsockname(descriptor, generic, &length) : -1
            }
        }
        guard status == 0 else { throw Failure(description: "bind: \(errno)") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    // MARK: Faults

    /// SIGKILL, as a crash would; the data stay. On a busy disk a Redis that syncs every second holds what it has
    /// acknowledged back for up to two seconds; that is awaited, since it is not what tests of crashes are about.
    package func kill() {
        let giveUp = Date().addingTimeInterval(5)
        while !isFrozen.withLock({ $0 }), Date() < giveUp, let reply = try? ask("INFO persistence"),
            reply.contains("aof_buffer_length:"), !reply.contains("aof_buffer_length:0\r")
        {
            usleep(1000)
        }
        end()
    }

    /// Starts the server again, after `kill()` or while it runs, on the same socket and data.
    package func restart() throws {
        kill()
        try start()
    }

    /// Stops the process without ending it: connections stay open and nothing is answered.
    package func freeze() {
        isFrozen.withLock { $0 = true }
        signal(SIGSTOP)
    }

    package func thaw() {
        signal(SIGCONT)
        isFrozen.withLock { $0 = false }
    }

    /// Ends the server and removes its directory.
    package func stop() {
        end()
        try? FileManager.default.removeItem(at: directory)
    }

    package func flush() throws {
        try command("FLUSHALL")
    }

    /// Sends one line (arguments without spaces) over a connection of its own and returns the raw reply's first bytes,
    /// at most 64 KiB of what one read gives.
    @discardableResult
    package func command(_ line: String) throws -> String {
        guard let reply = try ask(line) else { throw Failure(description: "no connection to \(socketPath)") }
        guard !reply.hasPrefix("-") else { throw Failure(description: "\(line): \(reply)") }
        return reply
    }

    // MARK: Inside

    private func start() throws {
        unlink(socketPath)
        isFrozen.withLock { $0 = false }
        let started = try WatchedProcess(["redis-server"] + arguments, cleanUp: "rm -rf '\(directory.path)'")
        process.withLock { $0 = started }
        let giveUp = Date().addingTimeInterval(20)
        while true {
            if let reply = try? ask("PING"), reply.hasPrefix("+PONG") || reply.hasPrefix("-NOAUTH") { return }
            guard Date() < giveUp, started.exitStatus == nil else {
                let log = try? String(contentsOf: directory.appendingPathComponent("redis.log"), encoding: .utf8)
                stop()
                throw Failure(description: "redis-server does not start: \(log?.suffix(500) ?? "is it installed?")")
            }
            usleep(2000)
        }
    }

    private func end() {
        let ended = process.withLock { process in
            defer { process = nil }
            return process
        }
        ended?.end()
    }

    private func signal(_ number: Int32) {
        process.withLock { $0?.signal(number) }
    }

    private func ask(_ line: String) throws -> String? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(description: "socket: \(errno)") }
        defer { Glibc.close(descriptor) }
        // One that is frozen never answers.
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socketPath.utf8) }
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else { return nil }
        let request = Array("\(line)\r\n".utf8)
        guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else { return nil }
        var reply = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(descriptor, &reply, reply.count)
        return count > 0 ? String(decoding: reply.prefix(count), as: UTF8.self) : nil
    }
}
