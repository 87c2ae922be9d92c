internal import Glibc

/// The port the gateway is going to listen on, tried before anything is started.
enum ListeningPort {
    /// - Parameter port: 0 for any free one.
    /// - Returns: a port that was free a moment ago.
    static func check(host: String, port: Int) throws(CommandFailure) -> Int {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0, let address = list else {
            throw CommandFailure("\(host) is no address of this machine; give another --host")
        }
        defer { freeaddrinfo(list) }
        let probe = socket(
            address.pointee.ai_family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard probe >= 0 else { throw CommandFailure("cannot open a socket", errno: errno) }
        defer { close(probe) }
        var reuse: Int32 = 1
        setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        guard bind(probe, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 else {
            let code = errno
            guard code == EADDRINUSE else { throw CommandFailure("cannot listen on \(host):\(port)", errno: code) }
            throw CommandFailure("port \(port) is in use; stop what uses it or give another --port")
        }
        return try boundPort(of: probe)
    }

    private static func boundPort(of socket: Int32) throws(CommandFailure) -> Int {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
        }
        guard result == 0 else { throw CommandFailure("cannot read a socket's port", errno: errno) }
        // The port stands at the same place in IPv4 and IPv6 addresses.
        return withUnsafeBytes(of: &storage) { Int($0[2]) << 8 | Int($0[3]) }
    }
}
