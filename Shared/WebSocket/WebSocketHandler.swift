package import NIOCore

/// A WebSocket connection after its handshake: parses what comes, answers pings, and closes in order. The only handler of
/// its channel, so that an idle connection costs little.
///
/// A side that closes sends its close frame, throws away what still comes, and hangs up when the other has answered or
/// `closePatience` is over: hanging up at once would reset the connection, and the peer might never read why.
package final class WebSocketHandler: ChannelInboundHandler {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private enum Phase {
        case open
        /// Our close frame is sent.
        case closing
        case closed
    }

    private static let closePatience: TimeAmount = .seconds(2)

    private let role: WebSocketRole
    /// How messages may be compressed, if they may.
    package let deflate: PerMessageDeflate?
    private let session: any WebSocketSession
    private var parser: WebSocketParser
    private var phase = Phase.open
    private var code = WebSocketCloseCode.abnormal
    private var isClosedByPeer = true
    private var context: ChannelHandlerContext?
    /// Whether the channel's own reads do not get here.
    var asksForReads = false

    /// - Parameter deflate: what was agreed on with the peer.
    package init(
        role: WebSocketRole, maxMessageBytes: Int, deflate: PerMessageDeflate? = nil, session: any WebSocketSession
    ) {
        self.role = role
        self.deflate = deflate
        self.session = session
        parser = WebSocketParser(role: role, maxMessageBytes: maxMessageBytes, allowsDeflate: deflate != nil)
    }

    // MARK: For the session

    package var isOpen: Bool { phase == .open }
    package var isWritable: Bool { context?.channel.isWritable ?? false }
    package var remoteAddress: SocketAddress? { context?.remoteAddress }

    /// Writes frames already encoded, one or several, without flushing. Nothing happens once the connection closes.
    package func write(_ frames: ByteBuffer) {
        guard phase == .open, let context else { return }
        context.write(wrapOutboundOut(frames), promise: nil)
    }

    /// The same, and flushes.
    package func writeAndFlush(_ frames: ByteBuffer) {
        guard phase == .open, let context else { return }
        context.writeAndFlush(wrapOutboundOut(frames), promise: nil)
    }

    package func flush() {
        context?.flush()
    }

    package func send(_ opcode: WebSocketOpcode, _ payload: ByteBuffer) {
        write(frame(opcode, payload))
        flush()
    }

    /// Compressed, where that was agreed on and makes it smaller.
    /// - Parameter deflater: whose window is no larger than what was agreed on.
    package func send(_ opcode: WebSocketOpcode, _ payload: ByteBuffer, by deflater: MessageDeflater) {
        guard deflate != nil, let deflated = deflater.deflate(payload) else { return send(opcode, payload) }
        write(frame(opcode, deflated, isCompressed: true))
        flush()
    }

    /// Begins to close. What was written before is still sent.
    package func close(_ code: WebSocketCloseCode, _ reason: String = "") {
        guard phase == .open, let context else { return }
        self.code = code
        isClosedByPeer = false
        sendClose(code, reason, context)
        waitForPeer(context)
    }

    /// Hangs up without a word: the peer does not listen any more.
    package func abort(_ code: WebSocketCloseCode) {
        guard let context, phase != .closed else { return }
        if phase == .open {
            self.code = code
            isClosedByPeer = false
        }
        phase = .closing
        context.close(promise: nil)
    }

    // MARK: Of the channel

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        session.opened(self)
        if asksForReads { context.read() }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        if asksForReads, context.channel.isWritable { context.read() }
        context.fireChannelReadComplete()
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        end()
        self.context = nil
    }

    package func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var input = unwrapInboundIn(data)
        session.heard()
        do throws(WebSocketError) {
            // A close frame ends it: what comes behind it is nothing.
            while phase != .closed, let event = try parser.next(&input) { receive(event, context) }
        } catch {
            if phase == .open {
                close(error.code, error.reason)
            } else {
                context.close(promise: nil)
            }
        }
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        let isWritable = context.channel.isWritable
        // Who does not take answers is not asked for more: pings and the like cannot pile up.
        try? context.channel.syncOptions?.setOption(.autoRead, value: isWritable)
        if asksForReads, isWritable { context.read() }
        if phase == .open { session.writabilityChanged(isWritable: isWritable) }
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // The server stops and has not closed its connections.
        if event is ChannelShouldQuiesceEvent { return close(.serviceRestart) }
        // The peer sends no more, so it has no answer to anything either.
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { context.close(promise: nil) }
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    // MARK: Inside

    private func receive(_ event: WebSocketParser.Event, _ context: ChannelHandlerContext) {
        switch event {
        case .close(let code, let reason):
            if phase == .open {
                self.code = code
                sendClose(code, reason, context)
            }
            hangUp(context)
        case _ where phase != .open: break
        case .text(let text): session.received(text: text)
        case .binary(let bytes): session.received(binary: bytes)
        case .ping(let payload): send(.pong, payload)
        case .pong: break
        }
    }

    private func frame(
        _ opcode: WebSocketOpcode, _ payload: ByteBuffer, isCompressed: Bool = false
    ) -> ByteBuffer {
        switch role {
        case .server: WebSocketFrame.encode(opcode, payload, isCompressed: isCompressed)
        case .client: WebSocketFrame.masked(opcode, payload, isCompressed: isCompressed)
        }
    }

    private func sendClose(_ code: WebSocketCloseCode, _ reason: String, _ context: ChannelHandlerContext) {
        phase = .closing
        let payload = WebSocketFrame.closePayload(code, reason)
        context.writeAndFlush(wrapOutboundOut(frame(.close, payload)), promise: nil)
    }

    /// Both sides have said what they had to: the server hangs up, a client lets it.
    private func hangUp(_ context: ChannelHandlerContext) {
        phase = .closed
        switch role {
        case .server: context.close(promise: nil)
        case .client: waitForPeer(context)
        }
    }

    private func waitForPeer(_ context: ChannelHandlerContext) {
        try? context.channel.syncOptions?.setOption(.autoRead, value: true)
        let channel = context.channel
        context.eventLoop.scheduleTask(in: Self.closePatience) { channel.close(promise: nil) }
    }

    private var hasEnded = false

    private func end() {
        guard !hasEnded else { return }
        hasEnded = true
        phase = .closed
        session.closed(code, byPeer: isClosedByPeer)
    }
}
