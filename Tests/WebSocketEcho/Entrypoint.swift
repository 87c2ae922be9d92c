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
                WebSocketAcceptance(
                    handshake, subprotocol: nil, maxMessageBytes: 32 << 20, deflate: handshake.deflate,
                    session: EchoSession()))
        } catch {
            return .refuse(
                HTTPResponseHead(version: .http1_1, status: error.status, headers: ["content-length": "0"]),
                body: ByteBuffer())
        }
    }
}

private final class EchoSession: WebSocketSession {
    private var socket: WebSocketHandler?
    private var deflater: MessageDeflater?

    func opened(_ socket: WebSocketHandler) {
        self.socket = socket
        deflater = socket.deflate.flatMap { MessageDeflater(windowBits: $0.serverWindowBits) }
    }

    func received(text: ByteBuffer) {
        send(.text, text)
    }

    func received(binary: ByteBuffer) {
        send(.binary, binary)
    }

    private func send(_ opcode: WebSocketOpcode, _ payload: ByteBuffer) {
        if let deflater {
            socket?.send(opcode, payload, by: deflater)
        } else {
            socket?.send(opcode, payload)
        }
    }

    func closed(_ code: WebSocketCloseCode, byPeer: Bool) {
        socket = nil
    }
}
