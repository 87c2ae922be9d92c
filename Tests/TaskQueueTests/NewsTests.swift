import Domain
import Logging
import Redis
import Synchronization
import Testing

@testable import TaskQueue

@Suite struct NewsTests {
    private final class Paper: Sendable {
        private let news = Mutex<[TaskNews]>([])

        func print(_ more: [TaskNews]) { news.withLock { $0 += more } }

        var all: [TaskNews] { news.withLock { $0 } }
    }

    @Test func `what tasks tell of their progress is pushed, and how they end`() async throws {
        let fixture = try await QueueFixture()
        // Told before anybody listened.
        try await fixture.submit("old")
        let old = try await fixture.claimOne()
        _ = try await fixture.queue.heartbeat(
            Job.type, [.init(id: "old", fence: old.fence, progress: (0.1, "before"))])
        let paper = Paper()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await fixture.queue.followNews(
                    of: [Job.type, Part.type], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
                ) { paper.print($0) }
            }
            // It listens once it hears.
            try await until("it listens") {
                _ = try await fixture.queue.heartbeat(
                    Job.type, [.init(id: "old", fence: old.fence, progress: (0.5, "half of it"))])
                return !paper.all.isEmpty
            }
            try await fixture.submit("parent")
            let parent = try await fixture.claimOne()
            _ = try await fixture.queue.submit(children: ChildrenTests.drafts(["a", "b"]), of: parent)
            #expect(try await fixture.queue.complete(parent, result: []))
            for part in try await fixture.queue.claim(Part.type, count: 2, worker: "w").tasks {
                #expect(try await fixture.queue.complete(part, result: []))
                try await fixture.queue.carry(Part.type)
            }
            #expect(try await fixture.queue.complete(old, result: []))
            try await until("all is told") { paper.all.contains { $0.id == "old" && $0.state == .completed } }
            group.cancelAll()
        }
        #expect(!paper.all.contains { $0.message == "before" })
        let first = try #require(paper.all.first)
        #expect(first.id == "old" && first.state == .running && first.progress == 0.5 && first.message == "half of it")
        #expect(first.examID == "exam")
        let parent = paper.all.filter { $0.id == "parent" }
        #expect(parent.map(\.state) == [.waiting, .waiting, .completed])
        #expect(parent.map(\.progress) == [0, 0.5, 1])
        #expect(parent.map(\.message) == ["0 of 2", "1 of 2", nil])
        // Tasks that tell nothing cost nothing.
        #expect(!paper.all.contains { $0.type == Part.type })
    }
}
