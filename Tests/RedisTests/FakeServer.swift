import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// A server on a unix socket that answers the greeting as Redis does, and everything else with fixed bytes.
final class FakeServer {
    enum Behaviour {
        case reply([UInt8])
        case replyAndClose([UInt8])
        /// Hangs up as soon as somebody connects.
        case hangUp
        /// Sends this instead of an answer to the greeting.
        case greet([UInt8])
        /// Says LOADING to that many connections; others are greeted, and get `done` for everything.
        case loading(times: Int)
    }

    let path: String
    private let channel: any Channel
    private let connections = Connections()

    init(_ behaviour: Behaviour) async throws {
        path = "/tmp/zy-fake-\(String(UInt64.random(in: 0...(.max)), radix: 36)).sock"
        let connections = connections
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(behaviour, connection: connections.next()))
                }
            }
            .bind(unixDomainSocketPath: path).get()
    }

    var url: String { "unix://\(path)" }

    func stop() async throws {
        try await channel.close()
        unlink(path)
    }

    private final class Connections: Sendable {
        private let count = Mutex(0)

        func next() -> Int {
            count.withLock { count in
                count += 1
                return count
            }
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let behaviour: Behaviour
        private var isGreeted = false
        /// From 1.
        private let connection: Int

        init(_ behaviour: Behaviour, connection: Int) {
            self.behaviour = behaviour
            self.connection = connection
        }

        func channelActive(context: ChannelHandlerContext) {
            if case .hangUp = behaviour {
                context.close(promise: nil)
            }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = Array("+OK\r\n+PONG\r\n".utf8)
            var isLast = false
            switch behaviour {
            case .greet(let greeting): bytes = greeting
            case .loading(let times) where connection <= times:
                bytes = Array("+OK\r\n-LOADING Redis is loading the dataset in memory\r\n".utf8)
            case .loading where isGreeted: bytes = Array("+done\r\n".utf8)
            case .reply(let reply) where isGreeted: bytes = reply
            case .replyAndClose(let reply) where isGreeted:
                bytes = reply
                isLast = true
            default: break
            }
            isGreeted = true
            let written = context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)))
            if isLast {
                let context = NIOLoopBound(context, eventLoop: context.eventLoop)
                written.whenComplete { _ in context.value.close(promise: nil) }
            }
        }
    }
}
