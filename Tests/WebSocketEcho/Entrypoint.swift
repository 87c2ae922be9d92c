internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import WebSocket

/// Sends every message back: what the Autobahn test suite talks to. Prints its port and runs until it is killed.
@main
enum Entrypoint {
    static func main() async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 256)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    _ = try UpgradeHandler<Never>.setUp(
                        channel, limits: NIOHTTPDecoderLimitConfiguration(), deadline: .seconds(10), decide: decide,
                        addHTTPHandlers: { _ in throw ChannelError.inappropriateOperationForState })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        print(server.localAddress?.port ?? 0)
        fflush(nil)
        try await server.closeFuture.get()
    }

    private static func decide(_ head: HTTPRequestHead, _ channel: any Channel) -> UpgradeDecision {
        do throws(WebSocketHandshake.Refusal) {
            let handshake = try WebSocketHandshake(head)
            return .accept(
                WebSocketAcceptance(handshake, subprotocol: nil, maxMessageBytes: 32 << 20, session: EchoSession()))
        } catch {
            return .refuse(
                HTTPResponseHead(version: .http1_1, status: error.status, headers: ["content-length": "0"]),
                body: ByteBuffer())
        }
    }
}

private final class EchoSession: WebSocketSession {
    private var socket: WebSocketHandler?

    func opened(_ socket: WebSocketHandler) {
        self.socket = socket
    }

    func received(text: ByteBuffer) {
        socket?.send(.text, text)
    }

    func received(binary: ByteBuffer) {
        socket?.send(.binary, binary)
    }

    func closed(_ code: WebSocketCloseCode, byPeer: Bool) {
        socket = nil
    }
}
