internal import Foundation
internal import NIOCore
internal import NIOPosix

/// A network between clients and a server's unix socket, for faults a server by itself does not have: bytes that stop
/// flowing while every connection stays open, in both directions or in one.
///
/// What is held arrives in its order when the network thaws, also when its sender has hung up meanwhile: as with a real
/// network, a command may be executed long after its caller has given up.
///
/// `@unchecked Sendable`: the mutable fields are used on `eventLoop` alone.
package final class FreezingProxy: @unchecked Sendable {
    package enum Frozen: Sendable, CaseIterable {
        case nothing
        case requests
        case replies
        case both
    }

    /// Where clients connect.
    package let socketPath: String
    private let server: String
    private let eventLoop: any EventLoop
    private var listener: (any Channel)?
    private var relays: [ObjectIdentifier: Relay] = [:]
    private var frozen = Frozen.nothing

    /// - Parameters:
    ///   - server: Path of the server's socket. It need not be there yet.
    ///   - socketPath: Where to listen, at most 107 bytes.
    package init(server: String, listeningAt socketPath: String) async throws {
        self.server = server
        self.socketPath = socketPath
        eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let listener = try await ServerBootstrap(group: eventLoop)
            .childChannelInitializer { channel in self.connect(channel) }
            .bind(unixDomainSocketPath: socketPath, cleanupExistingSocketFile: true).get()
        try await eventLoop.submit { self.listener = listener }.get()
    }

    package var url: String { "unix://\(socketPath)" }

    /// From now on, what is to stop flowing stops; what is not, flows.
    package func freeze(_ frozen: Frozen) async {
        _ = try? await eventLoop.submit {
            self.frozen = frozen
            for relay in self.relays.values { relay.pass() }
        }.get()
    }

    /// From now on, what comes over the connections there are stops; new ones work. So it is when a firewall forgets
    /// its connections.
    package func freezeExistingConnections() async {
        _ = try? await eventLoop.submit {
            for relay in self.relays.values { relay.isFrozen = true }
        }.get()
    }

    package func thaw() async {
        _ = try? await eventLoop.submit {
            for relay in self.relays.values { relay.isFrozen = false }
        }.get()
        await freeze(.nothing)
    }

    /// Cuts every connection; what is held is lost.
    package func sever() async {
        _ = try? await eventLoop.submit {
            for relay in self.relays.values { relay.cut() }
        }.get()
    }

    package func stop() async {
        _ = try? await eventLoop.submit { self.listener?.close(promise: nil) }.get()
        await sever()
    }

    // MARK: On the event loop

    private func connect(_ client: any Channel) -> EventLoopFuture<Void> {
        let upstream = Relay(proxy: self, isRequests: true)
        let downstream = Relay(proxy: self, isRequests: false)
        return ClientBootstrap(group: eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(downstream)
                }
            }
            .connect(unixDomainSocketPath: server)
            .flatMap { server in
                upstream.target = server
                downstream.target = client
                return client.eventLoop.makeCompletedFuture {
                    try client.pipeline.syncOperations.addHandler(upstream)
                }
            }
    }

    fileprivate func holds(requests: Bool) -> Bool {
        switch frozen {
        case .nothing: false
        case .requests: requests
        case .replies: !requests
        case .both: true
        }
    }

    fileprivate func add(_ relay: Relay) {
        relays[ObjectIdentifier(relay)] = relay
    }

    fileprivate func remove(_ relay: Relay) {
        relays[ObjectIdentifier(relay)] = nil
    }
}

/// One direction of a connection.
///
/// `@unchecked Sendable`: used on the proxy's event loop alone.
private final class Relay: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer

    private let proxy: FreezingProxy
    private let isRequests: Bool
    private var held: [ByteBuffer] = []
    private var hasEnded = false
    /// Whatever the others do.
    var isFrozen = false
    private var source: (any Channel)?
    /// The other side, where the bytes go.
    var target: (any Channel)?

    init(proxy: FreezingProxy, isRequests: Bool) {
        self.proxy = proxy
        self.isRequests = isRequests
    }

    func handlerAdded(context: ChannelHandlerContext) {
        source = context.channel
        proxy.add(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        held.append(unwrapInboundIn(data))
        pass()
    }

    func channelInactive(context: ChannelHandlerContext) {
        hasEnded = true
        pass()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    /// Hands on what is held, unless it is to be held.
    func pass() {
        guard let target, !isFrozen, !proxy.holds(requests: isRequests) else { return }
        var last = target.eventLoop.makeSucceededVoidFuture()
        for buffer in held { last = target.writeAndFlush(buffer) }
        held = []
        if hasEnded {
            last.whenComplete { _ in target.close(promise: nil) }
            forget()
        }
    }

    func cut() {
        held = []
        source?.close(promise: nil)
        target?.close(promise: nil)
        forget()
    }

    private func forget() {
        proxy.remove(self)
        source = nil
        target = nil
    }
}
