import Domain
import EventBus
import Foundation
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
            #expect((event["data"] as? [String: Any])?["version"] as? Int == 2)
        }
    }
}
