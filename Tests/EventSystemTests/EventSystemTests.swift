import EventSystem
import Foundation
import Synchronization
import TestSupport
import Testing

private struct Numbered: SystemEvent {
    static let eventType = "test.numbered"
    var examID: String?
    var number: Int
}

private struct Square: SystemTask {
    static let taskType = "square"
    var number: Int
    var taskID: String { "square:\(number)" }
}

/// Looks until `condition` holds; the time limit of the test bounds it.
private func until(_ condition: () async throws -> Bool) async throws {
    while try await !condition() {
        try await Task.sleep(for: .milliseconds(5))
    }
}

@Suite(.timeLimit(.minutes(2))) struct EventSystemTests {
    struct Failure: Error {}

    @Test func theExampleOfTheReadmeRuns() async throws {
        let server = try RedisServer()
        defer { server.stop() }
        #expect(try await embed(redis: server.url) == 7)
    }

    @Test func theReadmeShowsTheExampleThatRuns() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let source = try String(contentsOf: folder.appendingPathComponent("EmbeddingExample.swift"), encoding: .utf8)
        let example = source.split(separator: "// example:begin\n")[0].split(separator: "// example:end")[0]
        let readme = folder.deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("README.md")
        #expect(try String(contentsOf: readme, encoding: .utf8).contains("```swift\n\(example)```"))
    }

    @Test func eventsOfAnExamReachTheirHandlerInOrderAndOnce() async throws {
        let server = try RedisServer()
        defer { server.stop() }
        let seen = Mutex<[Int]>([])
        try await withEventSystem(
            redis: server.url, workers: 4,
            handlers: [
                .event(Numbered.self) { event, delivery in
                    #expect(delivery.type == "test.numbered")
                    #expect(delivery.examID == "exam-1")
                    seen.withLock { $0.append(event.number) }
                }
            ]
        ) { system in
            for number in 0..<50 {
                // A repeated call with the same key publishes nothing.
                for _ in 0..<2 {
                    try await system.publish(
                        Numbered(examID: "exam-1", number: number), deduplicationKey: "number-\(number)")
                }
            }
            try await until { seen.withLock { $0.count } >= 50 }
            try await until { try await system.systemStatus().partitions.flatMap(\.groups).allSatisfy { $0.lag == 0 } }
            #expect(await system.healthCheck().isHealthy)
        }
        #expect(seen.withLock { $0 } == Array(0..<50))
    }

    @Test func aTaskIsDoneOnceHoweverOftenItIsSubmitted() async throws {
        let server = try RedisServer()
        defer { server.stop() }
        let runs = Mutex(0)
        try await withEventSystem(
            redis: server.url, workers: 2,
            handlers: [
                .task(Square.self) { task, _ in
                    runs.withLock { $0 += 1 }
                    return task.number * task.number
                }
            ]
        ) { system in
            let first = try await system.submit(Square(number: 12))
            let second = try await system.submit(Square(number: 12))
            #expect(first.isNew)
            #expect(!second.isNew)
            #expect(try await system.result(of: second, as: Int.self) == 144)
            #expect(try await system.outcome(of: first)?.state == .completed)
            #expect(try await system.systemStatus().queues.contains { $0.type == "square" })
        }
        #expect(runs.withLock { $0 } == 1)
    }

    @Test func anErrorOfTheBodyComesOutAndTheSystemEndsInOrder() async throws {
        let server = try RedisServer()
        defer { server.stop() }
        let handler = SystemHandler.event(Numbered.self) { _, _ in }
        await #expect(throws: Failure.self) {
            try await withEventSystem(redis: server.url, workers: 1, handlers: [handler]) { system in
                try await until { await system.healthCheck().ownedPartitions.count == 8 }
                throw Failure()
            }
        }
        // The partitions are given back.
        try await withEventSystem(redis: server.url, workers: 1) { system in
            let owners = try await system.systemStatus().partitions.flatMap(\.groups).compactMap(\.owner)
            #expect(owners == [])
        }
    }

    @Test func whatIsWrongIsToldByItsCode() async throws {
        let server = try RedisServer()
        defer { server.stop() }
        @Sendable func code(_ body: () async throws -> Void) async -> EventSystemError.Code? {
            do {
                try await body()
                return nil
            } catch {
                return (error as? EventSystemError)?.code
            }
        }
        #expect(await code { try await withEventSystem(redis: "http://x", workers: 1) { _ in } } == .invalid)
        #expect(await code { try await withEventSystem(redis: server.url, workers: 0) { _ in } } == .invalid)
        try await withEventSystem(redis: server.url, workers: 1) { system in
            #expect(await code { try await system.submitOCRTask(sheetID: "nothing", blob: "x") } == .invalid)
            #expect(
                await code {
                    try await system.publishExamCreated(
                        title: "t", examID: "a b", owner: "li", questions: 1, maxScore: 1)
                } == .invalid)
        }
        var other = EventSystemConfiguration(redis: server.url, workers: 1)
        other.partitions = 3
        let configuration = other
        #expect(await code { try await withEventSystem(configuration) { _ in } } == .invalid)
    }
}
