import NIOHTTP1
import Testing

@testable import WebSocket

@Suite struct WebSocketHandshakeTests {
    private func head(_ change: (inout HTTPRequestHead) -> Void = { _ in }) -> HTTPRequestHead {
        var head = HTTPRequestHead(
            version: .http1_1, method: .GET, uri: "/ws",
            headers: [
                "host": "example.org", "upgrade": "WebSocket", "connection": "keep-alive, Upgrade",
                "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
                "sec-websocket-protocol": "zhiyue.v1, bearer.abc",
            ])
        change(&head)
        return head
    }

    @Test func `the example of the standard is accepted`() throws {
        let handshake = try WebSocketHandshake(head())
        #expect(handshake.accept == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(handshake.subprotocols == ["zhiyue.v1", "bearer.abc"])
    }

    @Test(arguments: [
        ("upgrade", "h2c", 426), ("connection", "close", 426), ("sec-websocket-version", "8", 426),
        ("sec-websocket-key", "dGhl", 400), ("sec-websocket-key", "", 400), ("content-length", "3", 400),
        ("transfer-encoding", "chunked", 400), ("sec-websocket-protocol", "a, a", 400),
    ])
    func `what is missing or wrong is refused with its status`(name: String, value: String, status: Int) {
        #expect(throws: WebSocketHandshake.Refusal.self) {
            try WebSocketHandshake(head { $0.headers.replaceOrAdd(name: name, value: value) })
        }
        do throws(WebSocketHandshake.Refusal) {
            _ = try WebSocketHandshake(head { $0.headers.replaceOrAdd(name: name, value: value) })
        } catch {
            #expect(Int(error.status.code) == status)
        }
    }

    @Test func `only GET of HTTP 1_1 opens a WebSocket`() {
        #expect(throws: WebSocketHandshake.Refusal.self) { try WebSocketHandshake(head { $0.method = .POST }) }
        #expect(throws: WebSocketHandshake.Refusal.self) { try WebSocketHandshake(head { $0.version = .http1_0 }) }
    }
}
