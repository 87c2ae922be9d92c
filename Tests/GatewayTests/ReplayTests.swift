import Domain
import EventBus
import Foundation
import Logging
import ServiceKit
import Synchronization
import Testing

@testable import Gateway

/// Remembers what it was given.
private final class RecordingHandler: EventHandler {
    let name = "recording"
    let eventTypes: Set<EventType> = []
    private let received = Mutex<[String]>([])

    var ids: [String] { received.withLock { $0 } }

    func handle(_ event: StoredEvent, context: HandlingContext) async throws {
        received.withLock { $0.append(event.event.id) }
    }
}

@Suite struct ReplayTests {
    /// Runs `body` beside a service of the group `figures` that offers a handler.
    private func offering(
        _ gateway: RunningGateway, _ body: (RecordingHandler) async throws -> Void
    ) async throws {
        let handler = RecordingHandler()
        let host = ReplayHost(
            bus: gateway.context.bus, group: "figures", replica: "r", handlers: [handler],
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await host.run() }
            while try await gateway.context.bus.replayableHandlers().isEmpty {
                try await Task.sleep(for: .milliseconds(5))
            }
            try await body(handler)
            tasks.cancelAll()
        }
    }

    @Test func `a range is replayed to a handler, and a dry run only counts`() async throws {
        try await RunningGateway.run { gateway in
            let admin = try await gateway.token("root", .admin)
            try await gateway.publish(1...4, exam: "a")
            try await gateway.publish(1...2, exam: "b")
            try await offering(gateway) { handler in
                let dry = try await gateway.send(
                    "POST", "/api/events/replay", json: #"{"handler":"recording","dry_run":true}"#, token: admin)
                #expect(dry.status == 200, "\(dry.text)")
                #expect(dry.json["events"] as? Int == 6)
                #expect(dry.json["exams"] as? Int == 2)
                #expect(dry.json["by_type"] as? [String: Int] == ["exam.updated": 6])
                #expect(handler.ids.isEmpty)

                let started = try await gateway.send(
                    "POST", "/api/events/replay", json: #"{"group":"figures","exam_id":"a"}"#, token: admin)
                #expect(started.status == 202, "\(started.text)")
                let id = try #require(started.items.first?["id"] as? String)
                var state = ""
                while state != "completed" {
                    let shown = try await gateway.send("GET", "/api/events/replay/\(id)", token: admin)
                    state = try #require(shown.json["state"] as? String)
                }
                let history = try await gateway.send("GET", "/api/events?exam_id=a", token: admin)
                #expect(handler.ids == history.items.compactMap { $0["id"] as? String })

                let list = try await gateway.send("GET", "/api/events/replay", token: admin)
                #expect(list.items.map { $0["handled"] as? Int } == [4])
                #expect(list.items.map { $0["requested_by"] as? String } == ["root"])
                let handlers = try await gateway.send("GET", "/api/events/handlers", token: admin)
                #expect(handlers.items as? [[String: String]] == [["group": "figures", "handler": "recording"]])
                let audit = try await gateway.send("GET", "/api/audit?action=events.replayed", token: admin)
                #expect(audit.items.map { $0["actor"] as? String } == ["root"])
            }
        }
    }

    @Test func `what cannot be replayed is refused and told why`() async throws {
        try await RunningGateway.run { gateway in
            let admin = try await gateway.token("root", .admin)
            let path = "/api/events/replay"
            #expect(try await gateway.send("POST", path, json: "{}", token: admin).problem == "nothing-selected")
            let unknown = try await gateway.send("POST", path, json: #"{"handler":"none"}"#, token: admin)
            #expect(unknown.problem == "invalid-argument")
            #expect(unknown.text.contains("handler none"))
            let type = try await gateway.send("POST", path, json: #"{"type":"x","dry_run":true}"#, token: admin)
            #expect(type.pointers == ["/type"])
            #expect(try await gateway.send("GET", "\(path)/none", token: admin).problem == "replay-not-found")
            #expect(try await gateway.send("POST", path, json: "{}").status == 403)
        }
    }
}
