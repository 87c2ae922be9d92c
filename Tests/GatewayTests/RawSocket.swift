import NIOCore
import NIOPosix

/// Bytes to and from the gateway, for what no HTTP client does. Going away closes it.
final class RawSocket: Sendable {
    private let channel: any Channel
    private let pieces: AsyncStream<ByteBuffer>

    private init(channel: any Channel, pieces: AsyncStream<ByteBuffer>) {
        self.channel = channel
        self.pieces = pieces
    }

    static func open(port: Int) async throws -> RawSocket {
        let (stream, continuation) = AsyncStream<ByteBuffer>.makeStream()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Receiver(continuation))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return RawSocket(channel: channel, pieces: stream)
    }

    deinit {
        channel.close(promise: nil)
    }

    func send(_ text: String) async throws {
        try await send(bytes: Array(text.utf8))
    }

    func send(bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    /// What comes up to and with the piece that completes `end`.
    /// - Throws: `ChannelError.eof` when the connection ends before.
    func read(until end: String) async throws -> String {
        var text = ""
        for await piece in pieces {
            text += String(decoding: piece.readableBytesView, as: UTF8.self)
            if text.contains(end) { return text }
        }
        throw ChannelError.eof
    }

    func readToEnd() async throws -> String {
        var text = ""
        for await piece in pieces { text += String(decoding: piece.readableBytesView, as: UTF8.self) }
        return text
    }

    private final class Receiver: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        let continuation: AsyncStream<ByteBuffer>.Continuation

        init(_ continuation: AsyncStream<ByteBuffer>.Continuation) {
            self.continuation = continuation
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            continuation.yield(unwrapInboundIn(data))
        }

        func channelInactive(context: ChannelHandlerContext) {
            continuation.finish()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
