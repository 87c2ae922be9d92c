import Domain
import Foundation
import NIOCore
import NIOPosix
import Synchronization
import Testing
import WebSocket

/// A client of `/ws` for tests.
final class TestSocket: Sendable {
    enum Received: Sendable {
        case text(String)
        case closed(UInt16)
    }

    private let channel: any Channel
    private let received: AsyncStream<Received>
    private let handler: Mutex<NIOLoopBound<WebSocketHandler>?>
    private let inbox = Mutex<[Received]>([])

    private init(
        channel: any Channel, received: AsyncStream<Received>, handler: NIOLoopBound<WebSocketHandler>?
    ) {
        self.channel = channel
        self.received = received
        self.handler = Mutex(handler)
    }

    /// Opens a connection. Going away closes it.
    ///
    /// - Parameter token: sent as the second subprotocol; nil sends none.
    /// - Throws: `WebSocketClient.Refused`.
    static func open(
        port: Int, token: String?, headers: [(String, String)] = [], subprotocols: [String] = ["zhiyue.v1"],
        offersDeflate: Bool = false
    ) async throws -> TestSocket {
        var request = WebSocketClient.Request()
        request.headers = headers
        request.offersDeflate = offersDeflate
        request.subprotocols = subprotocols + (token.map { ["bearer.\($0)"] } ?? [])
        let (stream, continuation) = AsyncStream<Received>.makeStream()
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let box = NIOLockedBox()
        let channel = try await WebSocketClient.connect(
            host: "127.0.0.1", port: port, request, on: eventLoop
        ) { deflate in
            let handler = WebSocketHandler(
                role: .client, maxMessageBytes: 16 << 20, deflate: deflate, session: Session(continuation: continuation)
            )
            box.value.withLock { $0 = NIOLoopBound(handler, eventLoop: eventLoop) }
            return handler
        }.get()
        return TestSocket(channel: channel, received: stream, handler: box.value.withLock { $0 })
    }

    deinit {
        channel.close(promise: nil)
    }

    func send(_ text: String) async {
        await withHandler { $0.send(.text, ByteBuffer(string: text)) }
    }

    func send(raw bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    func close(_ code: UInt16 = 1000) async {
        await withHandler { $0.close(WebSocketCloseCode(rawValue: code)) }
    }

    /// From now on nothing is taken off the wire, or it is again.
    func pauseReading(_ isPaused: Bool) async throws {
        try await channel.setOption(.autoRead, value: !isPaused).get()
        if !isPaused { channel.read() }
    }

    private func withHandler(_ body: @escaping @Sendable (WebSocketHandler) -> Void) async {
        let handler = handler.withLock { $0 }
        try? await channel.eventLoop.submit {
            if let handler { body(handler.value) }
        }.get()
    }

    /// The next message, or the end. One caller at a time.
    func next() async throws -> Received {
        for await item in received { return item }
        throw CancellationError()
    }

    /// The next message, as JSON. One that is no message fails the test.
    func message(
        skipping skipped: Set<String> = ["heartbeat"], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> [String: Any] {
        while true {
            switch try await next() {
            case .text(let text):
                let json = try #require(
                    try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any],
                    sourceLocation: sourceLocation)
                if !skipped.contains(json["type"] as? String ?? "") { return json }
            case .closed(let code):
                Issue.record("closed with \(code)", sourceLocation: sourceLocation)
                throw CancellationError()
            }
        }
    }

    /// Passes over what still comes, up to the end.
    func closeCode() async throws -> UInt16 {
        while true {
            if case .closed(let code) = try await next() { return code }
        }
    }

    /// The next message of a type.
    func message(
        ofType type: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> [String: Any] {
        while true {
            let message = try await message(skipping: [], sourceLocation: sourceLocation)
            if message["type"] as? String == type { return message }
        }
    }

    private final class NIOLockedBox: Sendable {
        let value = Mutex<NIOLoopBound<WebSocketHandler>?>(nil)
    }

    private final class Session: WebSocketSession {
        let continuation: AsyncStream<Received>.Continuation

        init(continuation: AsyncStream<Received>.Continuation) {
            self.continuation = continuation
        }

        func opened(_ socket: WebSocketHandler) {}
        func received(text: ByteBuffer) { continuation.yield(.text(String(buffer: text))) }
        func received(binary: ByteBuffer) {}
        func closed(_ code: WebSocketCloseCode, byPeer: Bool) {
            continuation.yield(.closed(code.rawValue))
            continuation.finish()
        }
    }
}

extension RunningGateway {
    /// Signed in and welcomed.
    func socket(
        _ user: UserID = "root", _ role: Role = .admin, offersDeflate: Bool = false
    ) async throws -> TestSocket {
        let socket = try await TestSocket.open(
            port: port, token: try await token(user, role), offersDeflate: offersDeflate)
        let welcome = try await socket.message()
        #expect(welcome["type"] as? String == "welcome")
        return socket
    }

    /// A subscription of `exams`, all when nil.
    @discardableResult
    func subscribe(
        _ socket: TestSocket, _ id: String = "s", type: String = "general", exams: [String]? = nil,
        cursor: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> [String: Any] {
        var message: [String: Any] = ["type": "subscribe", "id": id, "connection_type": type]
        message["exam_ids"] = exams
        message["cursor"] = cursor
        await socket.send(String(decoding: try JSONSerialization.data(withJSONObject: message), as: UTF8.self))
        let answer = try await socket.message(sourceLocation: sourceLocation)
        #expect(answer["type"] as? String == "subscribed", "\(answer)", sourceLocation: sourceLocation)
        return answer
    }
}
