import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import WebSocket

/// A client's connection to the gateway: its first request makes it a WebSocket or one of HTTP.
struct GatewayChannel: HTTPChannelHandler {
    typealias HTTP = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    struct Value: ServerChildChannelValue {
        let channel: any Channel
        /// nil when the connection is none of HTTP, or closed.
        let http: EventLoopFuture<HTTP?>
    }

    let responder: HTTPChannelHandler.Responder
    let hub: RealtimeHub
    let maxBodyBytes: Int
    let idleTimeout: TimeAmount

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            guard hub.admission.enter() else {
                try channel.pipeline.syncOperations.addHandler(FullHouseHandler())
                return Value(channel: channel, http: channel.eventLoop.makeSucceededFuture(nil))
            }
            channel.closeFuture.whenComplete { [admission = hub.admission] _ in admission.leave() }
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = 16 << 10
            limits.maxHeaderListSize = 32 << 10
            limits.maxHeaderFieldCount = 100
            let http = try UpgradeHandler<HTTP>.setUp(
                channel, limits: limits, deadline: TimeAmount(hub.configuration.handshakeDeadline),
                decide: hub.decide
            ) { channel in
                try addHTTPHandlers(to: channel, logger: logger)
            }
            return Value(channel: channel, http: http)
        }
    }

    private func addHTTPHandlers(to channel: any Channel, logger: Logger) throws -> UpgradeHandler<HTTP>.Handlers {
        let handlers: [any ChannelHandler & RemovableChannelHandler] = [
            HTTP1ToHTTPServerCodec(secure: false), RequestFlowHandler(maxBodyBytes: maxBodyBytes),
            HTTPConnectionStateHandler(idleTimeout: Duration(idleTimeout), logger: logger),
        ]
        try channel.pipeline.syncOperations.addHandlers(handlers)
        let http = try HTTP(
            wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        return UpgradeHandler.Handlers(http, removable: handlers)
    }

    /// Serves the requests of a connection; returns at once when it has become a WebSocket.
    func handle(value: Value, logger: Logger) async {
        if let http = try? await value.http.get() { await handleHTTP(asyncChannel: http, logger: logger) }
    }
}

/// Tells a client for whom there is no room so, and hangs up.
private final class FullHouseHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let answer = ByteBuffer(
        string: "HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(Self.answer)).whenComplete { _ in channel.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}
}
