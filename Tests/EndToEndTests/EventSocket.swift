import Foundation
import NIOCore
import NIOPosix
import Synchronization
import WebSocket

/// A client of `/ws` that remembers every text it got.
final class EventSocket: Sendable {
    private let channel: any Channel
    private let session: Session
    private let handler: NIOLoopBound<WebSocketHandler>

    private init(channel: any Channel, session: Session, handler: NIOLoopBound<WebSocketHandler>) {
        self.channel = channel
        self.session = session
        self.handler = handler
    }

    deinit {
        channel.close(promise: nil)
    }

    /// - Parameter url: of the system, `http://127.0.0.1:8080`.
    static func open(_ url: String, token: String) async throws -> EventSocket {
        let port = url.split(separator: ":").last.flatMap { Int($0) } ?? 0
        var request = WebSocketClient.Request()
        request.subprotocols = ["zhiyue.v1", "bearer.\(token)"]
        let session = Session()
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let box = Box()
        let channel = try await WebSocketClient.connect(host: "127.0.0.1", port: port, request, on: eventLoop) { _ in
            let handler = WebSocketHandler(role: .client, maxMessageBytes: 1 << 20, session: session)
            box.value.withLock { $0 = NIOLoopBound(handler, eventLoop: eventLoop) }
            return handler
        }.get()
        guard let handler = box.value.withLock({ $0 }) else { throw CancellationError() }
        return EventSocket(channel: channel, session: session, handler: handler)
    }

    func send(_ text: String) async throws {
        try await channel.eventLoop.submit { [handler] in handler.value.send(.text, ByteBuffer(string: text)) }.get()
    }

    var texts: [String] { session.texts.withLock { $0 } }

    private final class Box: Sendable {
        let value = Mutex<NIOLoopBound<WebSocketHandler>?>(nil)
    }

    private final class Session: WebSocketSession, Sendable {
        let texts = Mutex<[String]>([])

        func opened(_ socket: WebSocketHandler) {}
        func received(text: ByteBuffer) { texts.withLock { $0.append(String(buffer: text)) } }
        func received(binary: ByteBuffer) {}
        func closed(_ code: WebSocketCloseCode, byPeer: Bool) {}
    }
}
