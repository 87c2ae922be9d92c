import Domain
import Foundation
import NIOCore
import Testing
import WebSocket

@testable import Gateway

/// Clients of `/ws` that ask for compressed messages.
@Suite struct RealtimeDeflateTests {
    private static func configuration(_ change: (inout RealtimeConfiguration) -> Void = { _ in })
        -> GatewayConfiguration
    {
        var configuration = GatewayConfiguration()
        configuration.realtime.deflate = true
        change(&configuration.realtime)
        return configuration
    }

    /// The next `count` messages that are no heartbeats, as they came.
    private func texts(_ count: Int, of socket: TestSocket) async throws -> [String] {
        var texts: [String] = []
        while texts.count < count {
            guard case .text(let text) = try await socket.next() else { throw CancellationError() }
            if !text.contains(#""type":"heartbeat""#) { texts.append(text) }
        }
        return texts
    }

    @Test(arguments: [8192, 3])
    func
        `who asks gets the same events with the same cursors in fewer bytes, and what was missed, from the ring or from history`(
            ringEvents: Int
        ) async throws
    {
        try await RunningGateway.run(Self.configuration { $0.ringEvents = ringEvents }) { gateway in
            let plain = try await gateway.socket()
            let deflated = try await gateway.socket(offersDeflate: true)
            for socket in [plain, deflated] {
                try await gateway.subscribe(socket, "all")
                try await gateway.subscribe(socket, "a", exams: ["a"])
            }
            for version in stride(from: 0, to: 20, by: 2) {
                try await gateway.publish(version...version, exam: "a")
                try await gateway.publish((version + 1)...(version + 1), exam: "b", bytes: version * 500)
            }
            let expected = try await texts(30, of: plain)
            #expect(try await texts(30, of: deflated) == expected)
            var figures = await gateway.hub.statistics()
            #expect(figures.connections == 2)
            #expect(figures.deflateConnections == 1)
            #expect(figures.deflateMessages == 30)
            #expect(figures.deflateBytesBefore > expected.reduce(0) { $0 + $1.utf8.count })
            #expect(figures.deflateBytesAfter > 0)
            #expect(figures.deflateBytesAfter < figures.deflateBytesBefore / 2)

            // Both leave at the same place and come back to the same.
            let last = try #require(expected.last { $0.contains(#""id":"all""#) })
            let message = try #require(try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any])
            let cursor = try #require(message["cursor"] as? String)
            await deflated.close()
            try await gateway.publish(20...40, exam: "a")
            _ = try await texts(42, of: plain)
            let (back, again) = (try await gateway.socket(), try await gateway.socket(offersDeflate: true))
            for socket in [back, again] {
                #expect(try await gateway.subscribe(socket, "all", cursor: cursor)["recovered"] as? Bool == true)
            }
            let missed = try await texts(21, of: back)
            #expect(try await texts(21, of: again) == missed)
            #expect((await gateway.hub.statistics().pagesRead > 0) == (ringEvents == 3))
            #expect(missed.last?.contains(#""version":40"#) == true)
            // What comes now is compressed too.
            let before = figures.deflateBytesAfter
            try await gateway.publish(41...41, exam: "a")
            #expect(try await texts(1, of: again) == (try await texts(1, of: back)))
            figures = await gateway.hub.statistics()
            #expect(figures.deflateBytesAfter > before)
            #expect(figures.deflateConnections == 1)
        }
    }

    @Test func `an event is compressed once on an event loop, however many get it`() async throws {
        try await RunningGateway.run(Self.configuration()) { gateway in
            var sockets: [TestSocket] = []
            for _ in 0..<8 {
                sockets.append(try await gateway.socket(offersDeflate: true))
                try await gateway.subscribe(sockets[sockets.count - 1], exams: ["a"])
            }
            try await gateway.publish(1...10, exam: "a")
            for socket in sockets {
                for version in 1...10 { #expect(try await socket.message().version == version) }
            }
            let figures = await gateway.hub.statistics()
            #expect(figures.deflateConnections == 8)
            #expect((10...(10 * gateway.hub.loops.count)).contains(figures.deflateMessages))
            #expect(figures.deflateBytesBefore > 8 * 10 * 200)

            let status = try await gateway.send(
                "GET", "/api/system/status", token: try await gateway.token("r", .admin))
            let told = try #require(status.json["websocket"] as? [String: Any])
            #expect(told["deflate_connections"] as? Int == 8)
            #expect(told["deflate_bytes_after"] as? Int == figures.deflateBytesAfter)
            #expect(told["deflate_bytes_before"] as? Int == figures.deflateBytesBefore)
            #expect(told["deflate_messages"] as? Int == figures.deflateMessages)
            let metrics = try await gateway.send("GET", "/metrics", token: "").text
            #expect(metrics.contains("websocket_deflate_connections 8\n"))
            #expect(metrics.contains("websocket_deflate_bytes_total{state=\"before\"} \(figures.deflateBytesBefore)\n"))
        }
    }

    @Test func `who does not ask, or asks where it is switched off, has none of it`() async throws {
        for (isOn, offers) in [(false, true), (true, false)] {
            let configuration = Self.configuration { $0.deflate = isOn }
            try await RunningGateway.run(configuration) { gateway in
                let socket = try await gateway.socket(offersDeflate: offers)
                try await gateway.subscribe(socket, exams: ["a"])
                try await gateway.publish(1...1, exam: "a", bytes: 3000)
                #expect(try await socket.message().version == 1)
                let figures = await gateway.hub.statistics()
                #expect(figures.deflateConnections == 0)
                #expect(figures.deflateMessages == 0)
                try await socket.send(raw: [0xC1, 0x81, 0, 0, 0, 0, 0])
                #expect(try await socket.closeCode() == 1002)
            }
        }
    }

    @Test func `a client's compressed messages are understood, within the limit of messages`() async throws {
        try await RunningGateway.run(Self.configuration()) { gateway in
            let deflater = try #require(MessageDeflater())
            func frame(_ text: String) throws -> [UInt8] {
                let payload = try #require(deflater.deflate(ByteBuffer(string: text)))
                return Array(WebSocketFrame.masked(.text, payload, isCompressed: true).readableBytesView)
            }
            let spaces = String(repeating: " ", count: 10_000)
            let socket = try await gateway.socket(offersDeflate: true)
            try await socket.send(raw: try frame(#"{"type":"ping"\#(spaces)}"#))
            #expect(try await socket.message()["type"] as? String == "pong")
            try await socket.send(raw: try frame(#"{"type":"ping"\#(spaces)\#(spaces)}"#))
            #expect(try await socket.closeCode() == 1009)
            let other = try await gateway.socket(offersDeflate: true)
            try await other.send(raw: [0xC1, 0x82, 0, 0, 0, 0, 0xFF, 0xFF])
            #expect(try await other.closeCode() == 1007)
            #expect(try await gateway.send("GET", "/healthz").status == 200)
        }
    }

    @Test func `a client with a small window gets what does not fit into it as it is`() async throws {
        try await RunningGateway.run(Self.configuration()) { gateway in
            let token = try await gateway.token("root", .admin)
            let wire = try await RawSocket.open(port: gateway.port)
            try await wire.send(
                """
                GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=8\r\n\
                Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10; client_max_window_bits\r\n\
                Sec-WebSocket-Protocol: zhiyue.v1, bearer.\(token)\r\n\r\n
                """)
            let head = try await wire.read(until: #""token_expires_at""#)
            #expect(
                head.contains(
                    "sec-websocket-extensions: permessage-deflate; server_no_context_takeover; "
                        + "client_no_context_takeover; server_max_window_bits=10\r\n"))
            let message = #"{"type":"subscribe","id":"s","connection_type":"general","exam_ids":["a"]}"#
            try await wire.send(
                bytes: Array(WebSocketFrame.masked(.text, ByteBuffer(string: message)).readableBytesView))
            _ = try await wire.read(until: #""recovered":true}"#)
            try await gateway.publish(1...1, exam: "a")
            while await gateway.hub.statistics().deflateMessages < 1 { await Task.yield() }
            try await gateway.publish(2...2, exam: "a", bytes: 1000)
            let rest = try await wire.read(until: String(repeating: "x", count: 1000))
            #expect(rest.contains(#""version":2"#))
            #expect(!rest.contains(#""version":1,"#))
            #expect(await gateway.hub.statistics().deflateMessages == 1)
        }
    }
}
