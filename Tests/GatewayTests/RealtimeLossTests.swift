import Domain
import EventBus
import Foundation
import ServiceKit
import TestSupport
import Testing

@testable import Gateway

/// What clients are told when Redis has lost what they were told already.
@Suite struct RealtimeLossTests {
    @Test(arguments: [true, false])
    func `when Redis comes back without what it had, clients are sent away to come back, and are told so then`(
        isQuick: Bool
    ) async throws {
        try await RunningGateway.run { gateway in
            let socket = try await gateway.socket()
            try await gateway.subscribe(socket, exams: ["a"])
            try await gateway.publishVersions(1...3, exam: "a")
            var cursor: String?
            for version in 1...3 {
                let message = try await socket.message()
                #expect(message.version == version)
                cursor = message["cursor"] as? String
            }
            gateway.redis.kill()
            if !isQuick { _ = try await socket.message(ofType: "status") }
            try FileManager.default.removeItem(at: gateway.redis.directory.appendingPathComponent("appendonlydir"))
            try gateway.redis.restart()
            #expect(try await socket.closeCode() == 4502)

            let again = try await gateway.socket()
            #expect(try await gateway.subscribeWhenPossible(again, exams: ["a"], cursor: cursor) == false)
            try await gateway.publishVersions(4...5, exam: "a")
            #expect(try await again.message().version == 4)
            #expect(try await again.message().version == 5)
            #expect(await gateway.hub.statistics().closed["gap"] == 1)
        }
    }
}

extension RunningGateway {
    fileprivate func publishVersions(_ versions: ClosedRange<Int>, exam: ExamID) async throws {
        for version in versions {
            _ = try await context.bus.publish(
                EventEnvelope(
                    ExamUpdated(examID: exam, version: version, keyVersion: 1, keyChanged: false), examID: exam,
                    context: EventContext(source: "/test", correlationID: "c")))
        }
    }

    /// - Returns: whether everything behind the cursor was there.
    fileprivate func subscribeWhenPossible(
        _ socket: TestSocket, exams: [String], cursor: String?
    ) async throws -> Bool {
        var message: [String: Any] = ["type": "subscribe", "id": "s", "connection_type": "general"]
        message["exam_ids"] = exams
        message["cursor"] = cursor
        let text = String(decoding: try JSONSerialization.data(withJSONObject: message), as: UTF8.self)
        while true {
            await socket.send(text)
            let answer = try await socket.message(skipping: ["heartbeat", "status"])
            if answer["code"] as? String == "unavailable" { continue }
            #expect(answer["type"] as? String == "subscribed", "\(answer)")
            return answer["recovered"] as? Bool ?? true
        }
    }
}
