internal import Glibc
internal import NIOCore
internal import NIOPosix

/// Looks up the addresses of hosts: on threads of its own, since the call of the system blocks and cannot be stopped.
final class HostResolver: Sendable {
    struct Failure: Error {}

    private let threads: NIOThreadPool
    private let eventLoop: any EventLoop

    init(eventLoop: any EventLoop, threadCount: Int = 8) {
        self.eventLoop = eventLoop
        threads = NIOThreadPool(numberOfThreads: threadCount)
        threads.start()
    }

    deinit {
        threads.shutdownGracefully { _ in }
    }

    /// The addresses of a host, in the order to be tried.
    ///
    /// - Parameter timeout: the caller waits no longer; the look-up itself may go on.
    /// - Throws: `Failure` when there is none in time.
    func addresses(of host: String, port: Int, within timeout: Duration) async throws -> [SocketAddress] {
        let promise = eventLoop.makePromise(of: [SocketAddress].self)
        let alarm = eventLoop.scheduleTask(in: TimeAmount(timeout)) { promise.fail(Failure()) }
        threads.submit { state in
            guard state == .active else { return promise.fail(Failure()) }
            let addresses = Self.look(up: host, port: port)
            if addresses.isEmpty { promise.fail(Failure()) } else { promise.succeed(addresses) }
        }
        defer { alarm.cancel() }
        return try await promise.futureResult.get()
    }

    private static func look(up host: String, port: Int) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let entry = next?.pointee {
            next = entry.ai_next
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            guard let address = entry.ai_addr,
                getnameinfo(
                    address, entry.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
            else { continue }
            let digits = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            // One with a zone (`%eth0`) is of the link, and is none to NIO.
            if let address = try? SocketAddress(ipAddress: digits, port: port) { addresses.append(address) }
        }
        return addresses
    }
}
