internal import Glibc

/// The Redis of a system that is given none: on a unix socket only, every write in an append-only file.
struct PrivateRedis: Sendable {
    /// What fits into a socket address.
    static let maximumSocketPathBytes = 107

    let socket: String
    let url: String
    let launch: ChildProcess.Launch

    init(directory: DataDirectory, environment: [String: String]) throws(CommandFailure) {
        socket = directory.redisSocket
        guard socket.utf8.count <= Self.maximumSocketPathBytes else {
            throw CommandFailure(
                "\(socket) is too long for a socket (\(Self.maximumSocketPathBytes) bytes); give a shorter --data")
        }
        guard let executable = Self.find("redis-server", in: environment["PATH"] ?? "/usr/bin:/bin") else {
            throw CommandFailure("redis-server is not on PATH; install it (make deps) or give --redis-url")
        }
        try DataDirectory.makeDirectory(directory.redisDirectory)
        url = Self.url(ofSocket: socket)
        launch = ChildProcess.Launch(
            executable: executable, arguments: Self.arguments(socket: socket, directory: directory),
            // Redis closes its files in order at SIGTERM; no service is left then to write more.
            environment: environment, directory: directory.redisDirectory, deathSignal: SIGTERM)
    }

    private static func arguments(socket: String, directory: DataDirectory) -> [String] {
        [
            "--port", "0", "--unixsocket", socket, "--unixsocketperm", "700",
            "--dir", directory.redisDirectory, "--pidfile", "\(directory.path)/redis.pid", "--daemonize", "no",
            "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
            // A full memory refuses writes; it must never forget a mark.
            "--maxmemory-policy", "noeviction",
            // Task hashes stay compact: 481 instead of 688 bytes each.
            "--hash-max-listpack-value", "1024",
        ]
    }

    /// Returns once Redis answers; it does not while it reads its file.
    func waitUntilReady() async throws {
        while !answersPing() { try await Task.sleep(for: .milliseconds(5)) }
    }

    private func answersPing() -> Bool {
        let connection = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard connection >= 0 else { return false }
        defer { close(connection) }
        var limit = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socket.utf8.prefix($0.count - 1)) }
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(connection, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        let request = Array("PING\r\n".utf8)
        guard connected == 0, Glibc.send(connection, request, request.count, Int32(MSG_NOSIGNAL)) > 0 else {
            return false
        }
        var reply = [UInt8](repeating: 0, count: 64)
        let count = recv(connection, &reply, reply.count, 0)
        return count > 0 && reply.starts(with: "+PONG".utf8)
    }

    static func find(_ name: String, in path: String) -> String? {
        path.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    static func url(ofSocket path: String) -> String { "unix://\(percentEncoded(path))" }

    private static func percentEncoded(_ path: String) -> String {
        let hexadecimal = Array("0123456789ABCDEF")
        return path.utf8.reduce(into: "") { text, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                text.append(Character(UnicodeScalar(byte)))
            default:
                text += "%\(hexadecimal[Int(byte >> 4)])\(hexadecimal[Int(byte & 15)])"
            }
        }
    }
}
