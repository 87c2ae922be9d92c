import Domain
import EventBus
import Foundation
import Logging
import Redis
import ServiceLifecycle
import TestSupport

/// Handles a history live, replays it into the same handler, and compares the figures: `ReplayBenchmark [EVENTS]`.
///
/// Prints one JSON object; exit status 1 when the figures differ.
@main
enum Entrypoint {
    static let logger = Logger(label: "bench", factory: { _ in SwiftLogNoOpLogHandler() })
    static let exams = (0..<200).map { ExamID("exam-\($0)") }

    static func main() async throws {
        let count = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 100_000
        let server = try RedisServer()
        defer { server.stop() }
        let client = RedisClient(configuration: try RedisConfiguration(url: server.url), logger: logger)
        let bus = EventBus(
            client: client, keys: RedisKeys(), configuration: EventBusConfiguration(), source: "/zhiyue/bench")
        try await bus.prepare()
        let handler = ScoresHandler(client: client, keys: bus.keys)

        let published = try await seconds { try await publish(count, bus) }
        let live = try await seconds { try await handleLive(bus, handler) }
        var status: ReplayStatus?
        let replayed = try await seconds { status = try await bus.replay(into: handler, logger: logger) }
        guard let status else { return }
        var differing = 0
        for exam in exams {
            let partition = bus.partition(of: exam)
            let expected = try await handler.scores(of: exam, partition, group: "live")
            if try await handler.scores(of: exam, partition, group: status.group) != expected { differing += 1 }
        }
        await client.close()
        print(
            #"{"events":\#(count),"handled":\#(status.handled),"failed":\#(status.failed),"#
                + #""exams":\#(exams.count),"exams_that_differ":\#(differing),"#
                + #""publish_and_buffer_seconds":\#(rounded(published)),"live_seconds":\#(rounded(live)),"#
                + #""replay_seconds":\#(rounded(replayed))}"#)
        if differing > 0 || status.handled != count { exit(1) }
    }

    /// By the publisher that outlives outages, from 64 callers.
    private static func publish(_ count: Int, _ bus: EventBus) async throws {
        let publisher = EventPublisher(bus: bus, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await publisher.run() }
            try await withThrowingTaskGroup(of: Void.self) { callers in
                for caller in 0..<64 {
                    callers.addTask {
                        for number in stride(from: caller, to: count, by: 64) {
                            try await publisher.publish(event(number))
                        }
                    }
                }
                try await callers.waitForAll()
            }
            tasks.cancelAll()
        }
    }

    private static func handleLive(_ bus: EventBus, _ handler: ScoresHandler) async throws {
        let subscriber = EventSubscriber(
            bus: bus, group: "live", replica: "bench", handlers: [handler], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await subscriber.run() }
            while true {
                try await Task.sleep(for: .milliseconds(20))
                let groups = try await bus.statistics().compactMap { $0.groups.first { $0.group == "live" } }
                if groups.count == bus.configuration.partitions, groups.allSatisfy({ $0.lag == 0 }) { break }
            }
            tasks.cancelAll()
        }
    }

    private static func event(_ number: Int) -> EventEnvelope {
        let time = Timestamp.now
        return EventEnvelope(
            id: UUIDv7.make(at: time).string, source: "/zhiyue/bench", type: "grading.completed",
            subject: "sheet-\(number)", time: time, schemaVersion: 1, correlationID: "bench",
            examID: exams[number % exams.count], data: Array("\(number % 101)".utf8))
    }

    private static func seconds(_ body: () async throws -> Void) async rethrows -> Double {
        let start = ContinuousClock.now
        try await body()
        return start.duration(to: .now) / .seconds(1)
    }

    private static func rounded(_ seconds: Double) -> String { String(format: "%.2f", seconds) }
}
