import Glibc

/// The sockets of one process, all of one kind.
struct Crowd {
    private enum State {
        case connecting
        case open
        case ended
    }

    private struct Socket {
        let descriptor: Int32
        let number: Int
        var state = State.connecting
        /// Whether anything was received.
        var isAnswered = false
        var seconds = 0
    }

    let port: UInt16
    let count: Int
    let kind: Kind
    let source: String
    let token: String
    private var sockets: [Int32: Socket] = [:]
    private var attempted = 0
    private var established = 0
    /// Answered with 503.
    private var refused = 0
    /// Answered with something else first.
    private var answered = 0
    private var ended = 0
    private var failed = 0
    private var lastSecond = time(nil)

    init(port: UInt16, count: Int, kind: Kind, source: String, token: String) {
        self.port = port
        self.count = count
        self.kind = kind
        self.source = source
        self.token = token
    }

    var report: String {
        """
        attempted=\(attempted) established=\(established) refused=\(refused) answered=\(answered) ended=\(ended) \
        failed=\(failed) open=\(sockets.count)
        """
    }

    /// Begins to open some more.
    mutating func open(_ some: Int) {
        for _ in 0..<min(some, count - attempted) {
            attempted += 1
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            guard descriptor >= 0 else {
                failed += 1
                continue
            }
            if !kind.reads {
                var small: Int32 = 4096
                setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &small, socklen_t(MemoryLayout<Int32>.size))
            }
            // Each source address has ports of its own.
            Self.with(address: source, port: 0) { _ = bind(descriptor, $0, $1) }
            let status = Self.with(address: "127.0.0.1", port: port) { connect(descriptor, $0, $1) }
            guard status == 0 || errno == EINPROGRESS else {
                failed += 1
                close(descriptor)
                continue
            }
            sockets[descriptor] = Socket(descriptor: descriptor, number: attempted)
        }
    }

    /// Deals with what has happened to the sockets.
    mutating func look(milliseconds: Int32) {
        var entries = sockets.values.map { socket in
            let wanted = socket.state == .connecting ? POLLOUT : kind.reads ? POLLIN : 0
            return pollfd(fd: socket.descriptor, events: Int16(wanted), revents: 0)
        }
        guard poll(&entries, nfds_t(entries.count), milliseconds) > 0 else { return }
        for entry in entries where entry.revents != 0 {
            guard var socket = sockets[entry.fd] else { continue }
            let events = Int32(entry.revents)
            if socket.state == .connecting {
                began(&socket)
            } else if events & Int32(POLLIN) != 0, kind.reads {
                read(&socket)
            } else if events & Int32(POLLERR | POLLHUP) != 0 {
                end(&socket)
            }
            sockets[entry.fd] = socket.state == .ended ? nil : socket
        }
    }

    /// What is to be sent each second.
    mutating func goOn() {
        guard time(nil) != lastSecond else { return }
        lastSecond = time(nil)
        guard kind == .dripping || kind == .endless else { return }
        for descriptor in Array(sockets.keys) {
            guard var socket = sockets[descriptor], socket.state == .open else { continue }
            send(kind.next(socket.seconds, token: token), to: socket)
            socket.seconds += 1
            sockets[descriptor] = socket
        }
    }

    private mutating func began(_ socket: inout Socket) {
        var error: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(socket.descriptor, SOL_SOCKET, SO_ERROR, &error, &size)
        guard error == 0 else {
            failed += 1
            socket.state = .ended
            close(socket.descriptor)
            return
        }
        established += 1
        socket.state = .open
        send(kind.opening(socket.number, token: token), to: socket)
        if kind.endsSending { shutdown(socket.descriptor, Int32(SHUT_WR)) }
    }

    private mutating func read(_ socket: inout Socket) {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = recv(socket.descriptor, &bytes, bytes.count, 0)
        if count > 0 {
            if !socket.isAnswered {
                socket.isAnswered = true
                if bytes.prefix(count).starts(with: Array("HTTP/1.1 503".utf8)) { refused += 1 } else { answered += 1 }
            }
        } else if count == 0 || errno != EAGAIN {
            end(&socket)
        }
    }

    private mutating func end(_ socket: inout Socket) {
        ended += 1
        socket.state = .ended
        close(socket.descriptor)
    }

    private func send(_ bytes: [UInt8], to socket: Socket) {
        guard !bytes.isEmpty else { return }
        _ = Glibc.send(socket.descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    private static func with<Result>(
        address text: String, port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, text, &address.sin_addr)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
