import Domain
import EventBus
import Foundation
import Logging
import Synchronization
import TestSupport
import Testing

@testable import ZhiYueCLI

/// Handles all but the events of one exam.
private final class PickyHandler: EventHandler {
    let name = "picky"
    let eventTypes: Set<EventType> = []
    private let count = Mutex(0)

    var handled: Int { count.withLock { $0 } }

    func handle(_ event: StoredEvent, context: HandlingContext) async throws {
        if event.event.examID == "bad" { throw EventRejection("not this one") }
        count.withLock { $0 += 1 }
    }
}

@Suite struct ReplayCommandTests {
    @Test func `events are counted, replayed and waited for, and what failed is status 1`() async throws {
        let system = try await CommandSystem()
        try await system.publish(1...3, exam: "a")
        try await system.publish(1...1, exam: "bad")
        let none = try await system.zhiyue("events", "replay", "--handler", "picky")
        #expect(none.status == 1)
        #expect(none.errors.contains("no running service has a handler picky"))

        let handler = PickyHandler()
        let host = ReplayHost(
            bus: system.bus, group: "g", replica: "r", handlers: [handler],
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await host.run() }
            while try await system.bus.replayableHandlers().isEmpty { try await Task.sleep(for: .milliseconds(5)) }

            let handlers = try await system.zhiyue("events", "handlers", "--json")
            #expect(handlers.objects as? [[String: String]] == [["group": "g", "handler": "picky"]])
            let dry = try await system.zhiyue("events", "replay", "--group", "g", "--dry-run", "--json")
            #expect(dry.objects.first?["events"] as? Int == 4)
            #expect(handler.handled == 0)

            let run = try await system.zhiyue(
                "events", "replay", "--handler", "picky", "--exam-id", "a", "--wait", "--json")
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.objects.first?["state"] as? String == "completed")
            #expect(run.objects.first?["handled"] as? Int == 3)
            #expect(handler.handled == 3)

            let failed = try await system.zhiyue("events", "replay", "--group", "g", "--wait", "--exam-id", "bad")
            #expect(failed.status == 1)
            #expect(failed.errors.contains("1 events could not be handled"))

            let id = try #require(run.objects.first?["id"] as? String)
            let list = try await system.zhiyue("events", "replays", "--json")
            #expect(list.objects.count == 2)
            let ended = try await system.zhiyue("events", "replays", id, "--cancel")
            #expect(ended.status == 1)
            #expect(ended.errors.contains("has ended already"))
            #expect(try await system.zhiyue("events", "replays", "none").status == 1)
            let audit = try await system.zhiyue("audit", "list", "--action", "events.replayed", "--json")
            #expect(audit.objects.count == 2)
            tasks.cancelAll()
        }
    }
}
