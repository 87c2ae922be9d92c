internal import Crypto
internal import FoundationEssentials
package import NIOCore
internal import NIOPosix

/// Opens WebSockets, for tests and measurements.
package enum WebSocketClient {
    /// Why a server did not open one.
    package struct Refused: Error, Equatable {
        /// The status of its answer; 0 when it gave none.
        package let status: Int
        /// Its answer's head, as far as it came.
        package let answer: String
    }

    /// What is asked for.
    package struct Request: Sendable {
        package var path = "/ws"
        package var subprotocols: [String] = ["zhiyue.v1"]
        package var headers: [(String, String)] = []
        package var maxMessageBytes = 16 << 20
        /// Whether to ask for compressed messages.
        package var offersDeflate = false

        package init() {}

        func bytes(host: String, key: String) -> ByteBuffer {
            var lines = [
                "GET \(path) HTTP/1.1", "Host: \(host)", "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: \(key)",
            ]
            if !subprotocols.isEmpty {
                lines.append("Sec-WebSocket-Protocol: \(subprotocols.joined(separator: ", "))")
            }
            if offersDeflate { lines.append("Sec-WebSocket-Extensions: \(PerMessageDeflate.offer)") }
            lines += headers.map { "\($0): \($1)" }
            return ByteBuffer(string: lines.joined(separator: "\r\n") + "\r\n\r\n")
        }
    }

    /// - Parameters:
    ///   - source: the address to connect from, `127.0.0.2`; nil leaves it to the system.
    ///   - makeHandler: what handles the connection once it is open; called on its event loop with how messages may be
    ///     compressed, if they may.
    /// - Throws: `Refused`; what connecting throws.
    package static func connect(
        host: String, port: Int, from source: String? = nil, _ request: Request, on eventLoop: any EventLoop,
        timeout: TimeAmount = .seconds(20),
        makeHandler: @escaping @Sendable (PerMessageDeflate?) -> any ChannelHandler
    ) -> EventLoopFuture<any Channel> {
        var bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(timeout)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4096))
        let opened = eventLoop.makePromise(of: Void.self)
        bootstrap = bootstrap.channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(
                    WebSocketClientHandshake(
                        request, host: "\(host):\(port)", opened: opened, makeHandler: makeHandler))
            }
        }
        if let source {
            do {
                bootstrap = bootstrap.bind(to: try SocketAddress(ipAddress: source, port: 0))
            } catch {
                opened.fail(error)
                return eventLoop.makeFailedFuture(error)
            }
        }
        let timer = eventLoop.scheduleTask(in: timeout) { opened.fail(Refused(status: 0, answer: "")) }
        let connected = bootstrap.connect(host: host, port: port)
        connected.whenFailure { error in opened.fail(error) }
        opened.futureResult.whenComplete { _ in timer.cancel() }
        return connected.flatMap { channel in
            opened.futureResult.flatMapErrorThrowing { error in
                channel.close(promise: nil)
                throw error
            }.map { channel }
        }
    }
}

/// Sends the request, checks the answer, and gives way to the connection's own handler.
private final class WebSocketClientHandshake: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let request: WebSocketClient.Request
    private let host: String
    private let key: String
    private let opened: EventLoopPromise<Void>
    private let makeHandler: (PerMessageDeflate?) -> any ChannelHandler
    private var received = ByteBuffer()

    init(
        _ request: WebSocketClient.Request, host: String, opened: EventLoopPromise<Void>,
        makeHandler: @escaping (PerMessageDeflate?) -> any ChannelHandler
    ) {
        self.request = request
        self.host = host
        self.opened = opened
        self.makeHandler = makeHandler
        key = Data((0..<16).map { _ in UInt8.random(in: 0...255) }).base64EncodedString()
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(request.bytes(host: host, key: key)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received.writeImmutableBuffer(unwrapInboundIn(data))
        let bytes = received.readableBytesView
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else {
            if received.readableBytes > 16_384 { fail(context) }
            return
        }
        let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
        let accept = "sec-websocket-accept: \(WebSocketHandshake.accept(key: key))"
        guard head.hasPrefix("HTTP/1.1 101 "), head.lowercased().contains(accept.lowercased()),
            let extensions = Self.extensions(head), extensions.count <= 1
        else { return fail(context) }
        let deflate = request.offersDeflate ? extensions.first.flatMap(PerMessageDeflate.init(answer:)) : nil
        // What was not asked for.
        guard extensions.isEmpty || deflate != nil else { return fail(context) }
        received.moveReaderIndex(forwardBy: end.upperBound - bytes.startIndex)
        let rest = received
        let pipeline = context.pipeline
        do {
            try pipeline.syncOperations.addHandler(makeHandler(deflate), position: .last)
        } catch {
            return fail(context)
        }
        opened.succeed(())
        if rest.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(rest)) }
        pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    /// - Returns: nil when they are not written by the grammar.
    private static func extensions(_ head: String) -> [WebSocketExtension]? {
        let name = "sec-websocket-extensions:"
        let lines = head.split(separator: "\r\n").filter { $0.lowercased().hasPrefix(name) }
        return WebSocketExtension.list(lines.map { String($0.dropFirst(name.count)) })
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        opened.fail(error)
        context.close(promise: nil)
    }

    private func fail(_ context: ChannelHandlerContext) {
        let answer = String(buffer: received)
        let status = answer.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        opened.fail(WebSocketClient.Refused(status: status, answer: answer))
        context.close(promise: nil)
    }
}
