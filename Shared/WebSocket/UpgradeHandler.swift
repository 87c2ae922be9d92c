package import NIOCore
package import NIOHTTP1

/// What becomes of the first request of a connection.
package enum UpgradeDecision {
    /// An ordinary request.
    case http
    /// Answered here, and the connection ends.
    case refuse(HTTPResponseHead, body: ByteBuffer)
    /// From now on the connection is `session`'s.
    case accept(WebSocketAcceptance)
}

/// How a handshake is answered and who then has the connection.
package struct WebSocketAcceptance {
    package let head: HTTPResponseHead
    let session: any WebSocketSession
    let maxMessageBytes: Int
    let deflate: PerMessageDeflate?

    /// - Parameters:
    ///   - subprotocol: one of those the client named.
    ///   - deflate: that of `handshake`, or nil.
    package init(
        _ handshake: WebSocketHandshake, subprotocol: String?, maxMessageBytes: Int,
        deflate: PerMessageDeflate? = nil, session: any WebSocketSession
    ) {
        var headers: HTTPHeaders = [
            "upgrade": "websocket", "connection": "upgrade", "sec-websocket-accept": handshake.accept,
        ]
        if let subprotocol { headers.add(name: "sec-websocket-protocol", value: subprotocol) }
        if let deflate { headers.add(name: "sec-websocket-extensions", value: deflate.answer) }
        head = HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers)
        self.maxMessageBytes = maxMessageBytes
        self.deflate = deflate
        self.session = session
    }
}

/// First in a connection's life: looks at its requests and leaves them to HTTP, or makes the connection a WebSocket.
///
/// A connection that has sent no complete request head by the deadline is closed. Most WebSockets are asked for by the
/// first request: then there never was anything else, and no handler but `WebSocketHandler` is left. Proxies also ask on
/// connections that have served requests before. HTTP is then told that no more requests come, and when it has finished
/// and wants to close the connection, that is where the WebSocket takes over.
package final class UpgradeHandler<HTTP: Sendable>: ChannelDuplexHandler, RemovableChannelHandler {
    package typealias InboundIn = HTTPServerRequestPart
    package typealias InboundOut = HTTPServerRequestPart
    package typealias OutboundIn = HTTPServerResponsePart
    package typealias OutboundOut = HTTPServerResponsePart

    /// What handles HTTP on a connection.
    package struct Handlers {
        let http: HTTP
        let removable: [any RemovableChannelHandler]

        /// - Parameter removable: those of the pipeline that a WebSocket has no use for.
        package init(_ http: HTTP, removable: [any RemovableChannelHandler]) {
            self.http = http
            self.removable = removable
        }
    }

    private enum Phase {
        case waiting
        case accepted(WebSocketAcceptance)
        case http
        /// HTTP is to end. Later than `accepted`.
        case leavingHTTP(WebSocketAcceptance, isRequestComplete: Bool)
        case done
    }

    /// How long a refused client may take to read the answer.
    private static var patience: TimeAmount { .seconds(2) }
    /// A client's messages are small; what a connection has read once stays with it.
    private static var receiveBytes: Int { 1024 }

    private let decide: (HTTPRequestHead, any Channel) -> UpgradeDecision
    private let addHTTPHandlers: (any Channel) throws -> Handlers
    private let outcome: EventLoopPromise<HTTP?>
    private let deadline: TimeAmount
    private var timer: Scheduled<Void>?
    private var phase = Phase.waiting
    private var encoder: HTTPResponseEncoder?
    private var decoder: ByteToMessageHandler<HTTPRequestDecoder>?
    private var httpHandlers: [any RemovableChannelHandler] = []
    /// Requests whose answers are not complete.
    private var openRequests = 0

    private init(
        deadline: TimeAmount, outcome: EventLoopPromise<HTTP?>,
        decide: @escaping (HTTPRequestHead, any Channel) -> UpgradeDecision,
        addHTTPHandlers: @escaping (any Channel) throws -> Handlers
    ) {
        self.deadline = deadline
        self.outcome = outcome
        self.decide = decide
        self.addHTTPHandlers = addHTTPHandlers
    }

    /// Sets up a connection just accepted, on its event loop.
    ///
    /// - Parameters:
    ///   - deadline: from the beginning of the connection to the end of its first request's head.
    ///   - decide: called on the event loop with the first request.
    ///   - addHTTPHandlers: adds what handles HTTP behind the decoder of HTTP/1.
    /// - Returns: what `addHTTPHandlers` made, when the connection is one of HTTP; nil when it is none, or closed.
    package static func setUp(
        _ channel: any Channel, limits: NIOHTTPDecoderLimitConfiguration, deadline: TimeAmount,
        decide: @escaping (HTTPRequestHead, any Channel) -> UpgradeDecision,
        addHTTPHandlers: @escaping (any Channel) throws -> Handlers
    ) throws -> EventLoopFuture<HTTP?> {
        let outcome = channel.eventLoop.makePromise(of: HTTP?.self)
        let handler = UpgradeHandler(
            deadline: deadline, outcome: outcome, decide: decide, addHTTPHandlers: addHTTPHandlers)
        let encoder = HTTPResponseEncoder()
        let decoder = ByteToMessageHandler(
            HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits))
        handler.encoder = encoder
        handler.decoder = decoder
        do {
            try channel.syncOptions?.setOption(
                .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: receiveBytes))
            try channel.pipeline.syncOperations.addHandlers(encoder, decoder, handler)
        } catch {
            outcome.succeed(nil)
            throw error
        }
        return outcome.futureResult
    }

    package func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: deadline) { channel.close(promise: nil) }
        context.fireChannelActive()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        finish(nil)
        context.fireChannelInactive()
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        finish(nil)
        httpHandlers = []
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        switch (phase, part) {
        case (.waiting, .head(let head)):
            switch decide(head, context.channel) {
            case .http: goOn(data, context)
            case .refuse(let head, let body): refuse(head, body, context)
            case .accept(let acceptance): phase = .accepted(acceptance)
            }
        case (.accepted(let acceptance), .end): upgrade(acceptance, context)
        case (.http, .head(let head)) where openRequests == 0:
            switch decide(head, context.channel) {
            case .http: pass(data, context)
            case .refuse(let head, let body): refuse(head, body, context)
            case .accept(let acceptance): phase = .leavingHTTP(acceptance, isRequestComplete: false)
            }
        case (.http, _): pass(data, context)
        case (.leavingHTTP(let acceptance, false), .end):
            phase = .leavingHTTP(acceptance, isRequestComplete: true)
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        case (.done, _), (.accepted, _), (.leavingHTTP, _), (.waiting, _): break
        }
    }

    private func pass(_ data: NIOAny, _ context: ChannelHandlerContext) {
        if case .head = unwrapInboundIn(data) { openRequests += 1 }
        context.fireChannelRead(data)
    }

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { openRequests -= 1 }
        context.write(data, promise: promise)
    }

    package func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard case .leavingHTTP(let acceptance, true) = phase else {
            return context.close(mode: mode, promise: promise)
        }
        promise?.succeed()
        upgrade(acceptance, context, isLate: true)
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .http = phase { return context.fireErrorCaught(error) }
        guard case .waiting = phase else { return context.close(promise: nil) }
        // What is no HTTP.
        let head = HTTPResponseHead(
            version: .http1_1, status: .badRequest, headers: ["connection": "close", "content-length": "0"])
        refuse(head, ByteBuffer(), context)
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .http = phase { return context.fireUserInboundEventTriggered(event) }
        // Gone, or the server stops, before there was a request.
        if event is ChannelShouldQuiesceEvent { return context.close(promise: nil) }
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { return context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    private func goOn(_ data: NIOAny, _ context: ChannelHandlerContext) {
        phase = .http
        do {
            try context.channel.syncOptions?.setOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator())
            let handlers = try addHTTPHandlers(context.channel)
            httpHandlers = handlers.removable
            finish(handlers.http)
            pass(data, context)
        } catch {
            context.close(promise: nil)
        }
    }

    private func refuse(_ head: HTTPResponseHead, _ body: ByteBuffer, _ context: ChannelHandlerContext) {
        phase = .done
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.close(mode: .output, promise: nil)
        let channel = context.channel
        context.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
        finish(nil)
    }

    private func upgrade(
        _ acceptance: WebSocketAcceptance, _ context: ChannelHandlerContext, isLate: Bool = false
    ) {
        phase = .done
        context.write(wrapOutboundOut(.head(acceptance.head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        let pipeline = context.pipeline.syncOperations
        let handler = WebSocketHandler(
            role: .server, maxMessageBytes: acceptance.maxMessageBytes, deflate: acceptance.deflate,
            session: acceptance.session)
        // What HTTP leaves behind at the end of the pipeline lets no read pass any more.
        handler.asksForReads = isLate
        do {
            try pipeline.addHandler(handler, position: .after(self))
        } catch {
            return context.close(promise: nil)
        }
        for handler in httpHandlers { pipeline.removeHandler(handler, promise: nil) }
        httpHandlers = []
        if let encoder { pipeline.removeHandler(encoder, promise: nil) }
        pipeline.removeHandler(context: context, promise: nil)
        // Last: what the client has sent behind its request goes to whoever is next to the decoder.
        if let decoder { pipeline.removeHandler(decoder, promise: nil) }
        encoder = nil
        decoder = nil
    }

    private func finish(_ http: HTTP?) {
        timer?.cancel()
        timer = nil
        outcome.succeed(http)
    }
}
