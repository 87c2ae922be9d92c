import Access
import Domain
import EventBus
import Foundation
import NIOCore
import Testing
import WebSocket

@testable import Gateway

/// Clients of `/ws` on a running gateway.
@Suite struct RealtimeTests {
    @Test func `a client gets the events it has subscribed to, as CloudEvents with a cursor`() async throws {
        try await RunningGateway.run { gateway in
            let socket = try await gateway.socket()
            let answer = try await gateway.subscribe(socket, exams: ["a"])
            #expect(answer["recovered"] as? Bool == true)
            #expect(answer["cursor"] is String)
            try await gateway.publish(1...1, exam: "b")
            try await gateway.publish(2...2, exam: "a")
            let message = try await socket.message()
            #expect(message["type"] as? String == "event")
            #expect(message["id"] as? String == "s")
            #expect(message["cursor"] is String)
            let event = try #require(message["event"] as? [String: Any])
            #expect(event["specversion"] as? String == "1.0")
            #expect(event["type"] as? String == "exam.updated")
            #expect(message.version == 2)
        }
    }

    @Test func `a token may come in the first message instead`() async throws {
        try await RunningGateway.run { gateway in
            let socket = try await TestSocket.open(port: gateway.port, token: nil)
            await socket.send(#"{"type":"auth","token":"\#(try await gateway.token())"}"#)
            let welcome = try await socket.message()
            #expect(welcome["type"] as? String == "welcome")
            #expect(welcome["connection_id"] is String)
            #expect(welcome["heartbeat_interval"] as? Double == 15)
            await socket.send(#"{"type":"ping"}"#)
            #expect(try await socket.message()["type"] as? String == "pong")
        }
    }

    @Test func `who is not signed in is closed with the code that says why`() async throws {
        try await RunningGateway.run(.quick) { gateway in
            let wrong = try await TestSocket.open(port: gateway.port, token: "a.b.c")
            #expect(try await wrong.closeCode() == 4401)
            let past = try await TokenAuthority(secret: try TokenSecret(RunningGateway.secret)) {
                Timestamp(milliseconds: 1_700_000_000_000)
            }
            let expired = try await TestSocket.open(
                port: gateway.port, token: try await past.token(for: "root", role: .admin, lifetime: 60))
            #expect(try await expired.closeCode() == 4402)
            let rude = try await TestSocket.open(port: gateway.port, token: nil)
            await rude.send(#"{"type":"ping"}"#)
            #expect(try await rude.closeCode() == 4408)
            let silent = try await TestSocket.open(port: gateway.port, token: nil)
            #expect(try await silent.closeCode() == 4408)
        }
    }

    @Test func `a connection ends when its token expires, unless a new one comes in time`() async throws {
        try await RunningGateway.run(.quick) { gateway in
            let authority = try await TokenAuthority(secret: try TokenSecret(RunningGateway.secret))
            let short = try await authority.token(for: "root", role: .admin, lifetime: 3)
            let socket = try await TestSocket.open(port: gateway.port, token: short)
            let renewed = try await TestSocket.open(port: gateway.port, token: short)
            #expect(try await renewed.message()["type"] as? String == "welcome")
            await renewed.send(#"{"type":"auth","token":"\#(try await gateway.token("root", .admin))"}"#)
            #expect(try await socket.closeCode() == 4402)
            #expect(try await renewed.message()["type"] as? String == "welcome")
            try await gateway.subscribe(renewed)
            // Another user's token is no renewal.
            await renewed.send(#"{"type":"auth","token":"\#(try await gateway.token("li", .admin))"}"#)
            #expect(try await renewed.closeCode() == 4401)
        }
    }

    @Test func `what is no handshake of this protocol is refused as HTTP, and HTTP goes on beside it`() async throws {
        try await RunningGateway.run { gateway in
            for (headers, subprotocols, status) in [
                ([("Origin", "https://evil.example")], ["zhiyue.v1"], 403), ([], ["other"], 400), ([], [], 400),
                ([("Content-Length", "3")], ["zhiyue.v1"], 400),
            ] as [([(String, String)], [String], Int)] {
                await #expect(throws: WebSocketClient.Refused.self) {
                    _ = try await TestSocket.open(
                        port: gateway.port, token: nil, headers: headers, subprotocols: subprotocols)
                }
                do {
                    _ = try await TestSocket.open(
                        port: gateway.port, token: nil, headers: headers, subprotocols: subprotocols)
                } catch let refused as WebSocketClient.Refused {
                    #expect(refused.status == status)
                    #expect(refused.answer.contains("application/problem+json"))
                }
            }
            let plain = try await gateway.send("GET", "/ws")
            #expect(plain.status == 426)
            #expect(plain.problem == "not-a-websocket")
            #expect(try await gateway.send("GET", "/healthz").status == 200)
        }
    }

    @Test func `a connection that has served a request can become a WebSocket, and another request comes before`()
        async throws
    {
        try await RunningGateway.run { gateway in
            let token = try await gateway.token("root", .admin)
            let wire = try await RawSocket.open(port: gateway.port)
            for _ in 1...2 {
                try await wire.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try await wire.read(until: "ok\n").hasPrefix("HTTP/1.1 200"))
            }
            try await wire.send(
                """
                GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                Sec-WebSocket-Protocol: zhiyue.v1, bearer.\(token)\r\n\r\n
                """)
            let answer = try await wire.read(until: #""token_expires_at""#)
            #expect(answer.hasPrefix("HTTP/1.1 101"))
            #expect(answer.contains(#"{"type":"welcome""#))
            // A masked ping message.
            try await wire.send(bytes: [0x81, 0x8F, 0, 0, 0, 0] + Array(#"{"type":"ping"}"#.utf8))
            _ = try await wire.read(until: #"{"type":"pong"}"#)
            #expect(await gateway.hub.statistics().connections == 1)
        }
    }

    @Test func `who says nothing is disconnected at the deadline of the handshake`() async throws {
        var configuration = GatewayConfiguration()
        configuration.realtime.handshakeDeadline = .milliseconds(100)
        try await RunningGateway.run(configuration) { gateway in
            let silent = try await RawSocket.open(port: gateway.port)
            let slow = try await RawSocket.open(port: gateway.port)
            // On a busy machine it may be cut off before it can say anything.
            try? await slow.send("GET /ws HTTP/1.1\r\nHost: a\r\n")
            #expect(try await silent.readToEnd() == "")
            #expect(try await slow.readToEnd() == "")
        }
    }

    @Test func `beyond the limit of sockets a client is told so, and those there are live on`() async throws {
        var configuration = GatewayConfiguration()
        configuration.realtime.maxSockets = 2
        try await RunningGateway.run(configuration) { gateway in
            let socket = try await gateway.socket()
            var silent: RawSocket? = try await RawSocket.open(port: gateway.port)
            // It counts when the gateway has taken it.
            var answer = ""
            while answer.isEmpty {
                let extra = try await RawSocket.open(port: gateway.port)
                // Perhaps it is gone already.
                try? await extra.send("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                answer = try await extra.readToEnd()
                if answer.hasPrefix("HTTP/1.1 200") { answer = "" }
            }
            #expect(answer.hasPrefix("HTTP/1.1 503"))
            await socket.send(#"{"type":"ping"}"#)
            #expect(try await socket.message()["type"] as? String == "pong")
            _ = silent
            silent = nil
            while true {
                let extra = try await RawSocket.open(port: gateway.port)
                try? await extra.send("GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                if try await extra.readToEnd().hasPrefix("HTTP/1.1 200") { break }
            }
        }
    }

    @Test func `a page of a listed origin may connect`() async throws {
        var configuration = GatewayConfiguration()
        configuration.realtime.origins = ["https://school.example"]
        try await RunningGateway.run(configuration) { gateway in
            let socket = try await TestSocket.open(
                port: gateway.port, token: try await gateway.token(), headers: [("Origin", "https://school.example")])
            #expect(try await socket.message()["type"] as? String == "welcome")
        }
    }

    @Test func `wrong messages are answered with what is wrong, and the connection goes on`() async throws {
        try await RunningGateway.run { gateway in
            let socket = try await gateway.socket()
            for (message, code) in [
                ("no JSON", "malformed"), (#"{"type":"dance"}"#, "unknown_type"),
                (#"{"type":"subscribe"}"#, "invalid_id"),
                (#"{"type":"subscribe","id":"a\"b","connection_type":"general"}"#, "invalid_id"),
                (#"{"type":"subscribe","id":"s","connection_type":"x"}"#, "unknown_connection_type"),
                (#"{"type":"subscribe","id":"s","connection_type":"general","exam_ids":[]}"#, "invalid_exam_ids"),
                (
                    #"{"type":"subscribe","id":"s","connection_type":"system","event_types":["exam.created"]}"#,
                    "invalid_event_types"
                ), (#"{"type":"unsubscribe","id":"s"}"#, "unknown_id"),
            ] {
                await socket.send(message)
                let answer = try await socket.message()
                #expect(answer["type"] as? String == "error")
                #expect(answer["code"] as? String == code, "\(message)")
            }
            try await gateway.subscribe(socket)
            await socket.send(#"{"type":"subscribe","id":"s","connection_type":"general"}"#)
            #expect(try await socket.message()["code"] as? String == "duplicate_id")
        }
    }

    @Test func `subscriptions of a connection are separate, and one that is ended is silent`() async throws {
        try await RunningGateway.run { gateway in
            let socket = try await gateway.socket()
            try await gateway.subscribe(socket, "a", exams: ["a"])
            try await gateway.subscribe(socket, "b", exams: ["b"])
            await socket.send(
                #"{"type":"subscribe","id":"t","connection_type":"general","event_types":["exam.created"]}"#)
            #expect(try await socket.message()["type"] as? String == "subscribed")
            try await gateway.publish(1...1, exam: "a")
            #expect(try await socket.message()["id"] as? String == "a")
            await socket.send(#"{"type":"unsubscribe","id":"a"}"#)
            #expect(try await socket.message()["type"] as? String == "unsubscribed")
            try await gateway.publish(2...2, exam: "a")
            try await gateway.publish(3...3, exam: "b")
            let message = try await socket.message()
            #expect(message["id"] as? String == "b")
            #expect(message.version == 3)
        }
    }

    @Test func `heartbeats tell the cursor and the count of every subscription`() async throws {
        try await RunningGateway.run(.quick) { gateway in
            let socket = try await gateway.socket()
            try await gateway.subscribe(socket, exams: ["a"])
            try await gateway.publish(1...3, exam: "a")
            var last: [String: Any] = [:]
            for _ in 1...3 { last = try await socket.message() }
            while true {
                let beat = try await socket.message(ofType: "heartbeat")
                let subscription = try #require((beat["subscriptions"] as? [String: [String: Any]])?["s"])
                guard subscription["events"] as? Int == 3 else { continue }
                #expect(subscription["cursor"] as? String == last["cursor"] as? String)
                break
            }
        }
    }

    @Test func `one who gives no sign of life is cut off, one who answers pings is not`() async throws {
        try await RunningGateway.run(.quick) { gateway in
            let dead = try await gateway.socket()
            let alive = try await gateway.socket()
            try await dead.pauseReading(true)
            while await gateway.hub.statistics().closed["unresponsive"] ?? 0 < 1 { await Task.yield() }
            await alive.send(#"{"type":"ping"}"#)
            #expect(try await alive.message()["type"] as? String == "pong")
        }
    }

    @Test func `neither a quiet time before nor a stall of the gateway makes a client seem dead`() async throws {
        try await RunningGateway.run(.quick) { gateway in
            // As it is when the last client has left an hour ago.
            await gateway.hub.onAllLoops { $0.now = .now() - .hours(1) }
            let socket = try await gateway.socket()
            try await gateway.subscribe(socket, exams: ["a"])
            let stall = gateway.hub.configuration.heartbeat * 5
            await gateway.hub.onAllLoops { _ in usleep(UInt32(stall / .microseconds(1))) }
            for _ in 1...3 { _ = try await socket.message(ofType: "heartbeat") }
            #expect(await gateway.hub.statistics().closed.isEmpty)
        }
    }

    @Test func `a client is limited in connections, subscriptions, and messages by number and size`() async throws {
        var configuration = GatewayConfiguration()
        configuration.realtime.maxConnectionsPerUser = 2
        configuration.realtime.maxSubscriptions = 1
        configuration.realtime.maxMessagesPerSecond = 3
        try await RunningGateway.run(configuration) { gateway in
            let first = try await gateway.socket()
            let second = try await gateway.socket()
            let third = try await TestSocket.open(port: gateway.port, token: try await gateway.token("root", .admin))
            #expect(try await third.closeCode() == 4430)
            _ = try await gateway.socket("other")

            try await gateway.subscribe(first)
            await first.send(#"{"type":"subscribe","id":"t","connection_type":"general"}"#)
            #expect(try await first.message()["code"] as? String == "too_many_subscriptions")
            await first.send(String(repeating: " ", count: 20_000))
            #expect(try await first.closeCode() == 1009)

            for _ in 1...30 { await second.send(#"{"type":"ping"}"#) }
            #expect(try await second.closeCode() == 4429)
            // Both places are free again.
            while await gateway.hub.statistics().connections > 1 { await Task.yield() }
            _ = try await gateway.socket()
        }
    }

    @Test func `beyond the limit of connections new ones are refused and the others live on`() async throws {
        var configuration = GatewayConfiguration()
        configuration.realtime.maxConnections = 2
        try await RunningGateway.run(configuration) { gateway in
            let sockets = [try await gateway.socket(), try await gateway.socket()]
            do {
                _ = try await gateway.socket()
                Issue.record("there was room")
            } catch let refused as WebSocketClient.Refused {
                #expect(refused.status == 503)
            }
            for socket in sockets {
                await socket.send(#"{"type":"ping"}"#)
                #expect(try await socket.message()["type"] as? String == "pong")
            }
            #expect(try await gateway.send("GET", "/healthz").status == 200)
            #expect(await gateway.hub.statistics().refused["connections"] == 1)
        }
    }

    @Test func `a stopping gateway closes its connections with the code for come back`() async throws {
        let box = Box<TestSocket?>(nil)
        try await RunningGateway.run { gateway in
            box.value = try await gateway.socket()
        }
        #expect(try await box.value?.closeCode() == 1012)
    }

    @Test func `connections are counted for operators and for Prometheus`() async throws {
        try await RunningGateway.run { gateway in
            let socket = try await gateway.socket()
            try await gateway.subscribe(socket, type: "progress")
            let status = try await gateway.send(
                "GET", "/api/system/status", token: try await gateway.token("r", .admin))
            let figures = try #require(status.json["websocket"] as? [String: Any])
            #expect(figures["connections"] as? Int == 1)
            #expect((figures["subscriptions"] as? [String: Int])?["progress"] == 1)
            #expect(figures["bytes_out"] as? Int ?? 0 > 0)
            let metrics = try await gateway.send("GET", "/metrics", token: "").text
            #expect(metrics.contains("websocket_connections 1\n"))
            #expect(metrics.contains("websocket_subscriptions{connection_type=\"progress\"} 1\n"))
        }
    }
}

extension GatewayConfiguration {
    /// With clocks that a test can wait for.
    static var quick: GatewayConfiguration {
        var configuration = GatewayConfiguration()
        configuration.realtime.heartbeat = .milliseconds(400)
        configuration.realtime.tick = .milliseconds(20)
        configuration.realtime.authenticationDeadline = .milliseconds(700)
        return configuration
    }
}

extension [String: Any] {
    /// Of an `exam.updated`.
    var version: Int? { ((self["event"] as? [String: Any])?["data"] as? [String: Any])?["version"] as? Int }
}
