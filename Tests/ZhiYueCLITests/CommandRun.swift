import Domain
import EventBus
import Foundation
import Logging
import Redis
import TestSupport
import Testing

/// What a run of the real executable gave.
struct CommandRun {
    let status: Int32
    let output: String
    let errors: String

    var lines: [String] { output.split(separator: "\n").map { String($0) } }
    /// Of lines that are JSON objects.
    var objects: [[String: Any]] {
        lines.compactMap { (try? JSONSerialization.jsonObject(with: Data($0.utf8))) as? [String: Any] }
    }

    /// Runs `zhiyue` to its end.
    static func zhiyue(
        _ arguments: [String], environment: [String: String] = [:], input: String = ""
    ) async throws -> CommandRun {
        let process = Process()
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        process.executableURL = URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("zhiyue")
        process.arguments = arguments
        process.environment = environment.merging(["PATH": "/usr/bin:/bin", "HOME": "/"]) { first, _ in first }
        // What fits into a pipe.
        let inputPipe = Pipe()
        try inputPipe.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try inputPipe.fileHandleForWriting.close()
        process.standardInput = inputPipe
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        async let outputText = text(output)
        async let errorText = text(errors)
        let (first, second) = await (outputText, errorText)
        process.waitUntilExit()
        return CommandRun(status: process.terminationStatus, output: first, errors: second)
    }

    /// All that comes until the pipe's end.
    private static func text(_ pipe: Pipe) async -> String {
        await withCheckedContinuation { continuation in
            Thread {
                let data = pipe.fileHandleForReading.readDataToEndOfFile()
                continuation.resume(returning: String(decoding: data, as: UTF8.self))
            }.start()
        }
    }
}

/// A bus for commands to look at, on a Redis of its own.
struct CommandSystem {
    let redis: RedisServer
    let client: RedisClient
    let bus: EventBus

    init() async throws {
        redis = try RedisServer()
        client = RedisClient(
            configuration: try RedisConfiguration(url: redis.url),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        bus = EventBus(client: client, keys: RedisKeys(), configuration: EventBusConfiguration(), source: "/test")
        try await bus.prepare()
    }

    func zhiyue(
        _ arguments: String..., environment: [String: String] = [:], input: String = ""
    ) async throws -> CommandRun {
        try await CommandRun.zhiyue(
            arguments, environment: environment.merging(["REDIS_URL": redis.url]) { first, _ in first }, input: input)
    }

    func publish(_ versions: ClosedRange<Int>, exam: ExamID, correlation: CorrelationID = "chain") async throws {
        for version in versions {
            try await bus.publish(
                EventEnvelope(
                    ExamUpdated(examID: exam, version: version, keyVersion: 1, keyChanged: false), examID: exam,
                    context: EventContext(source: "/test", correlationID: correlation)))
        }
    }

    /// Has a group give up on every event there is.
    func giveUp(group: String, letters: Int) async throws {
        let subscriber = EventSubscriber(
            bus: bus, group: group, replica: "r", handlers: [RejectingHandler()],
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await subscriber.run() }
            while try await bus.deadLetterIDs(matching: DeadLetterQuery(group: group)).count < letters {
                try await Task.sleep(for: .milliseconds(5))
            }
            tasks.cancelAll()
        }
    }
}

private struct RejectingHandler: EventHandler {
    let name = "rejecting"
    let eventTypes: Set<EventType> = []

    func handle(_ event: StoredEvent, context: HandlingContext) async throws {
        throw EventRejection("no, thanks")
    }
}
