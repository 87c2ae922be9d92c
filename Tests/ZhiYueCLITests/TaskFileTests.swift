import Domain
import EventBus
import Foundation
import Logging
import TaskQueue
import TestSupport
import Testing

@testable import ZhiYueCLI

@Suite(.timeLimit(.minutes(2))) struct TaskFileTests {
    private func line(_ version: Int) -> String {
        #"{"type":"report_generation","payload":{"kind":"results_csv","exam_id":"a","results_version":\#(version)}}"#
    }

    private func file(_ lines: [String], in system: CommandSystem) throws -> String {
        let path = system.redis.directory.appendingPathComponent("tasks.jsonl").path
        try lines.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private func ready(_ system: CommandSystem) async throws -> Int {
        let queue = TaskQueue(client: system.client, keys: system.bus.keys, configuration: TaskQueueConfiguration())
        return try await queue.statistics(type: ReportTask.type).reduce(0) { $0 + $1.ready }
    }

    @Test func `the tasks of a file are submitted once, from wherever they come`() async throws {
        let system = try await CommandSystem()
        let path = try file((1...2500).map(line) + ["", line(2500), "  "], in: system)
        let first = try await system.zhiyue("tasks", "submit", "--file", path)
        #expect(first.status == 0, "\(first.errors)")
        #expect(first.output == "2500 submitted, 1 were submitted before\n")
        #expect(try await ready(system) == 2500)
        let again = try await system.zhiyue(
            "tasks", "submit", "--file", "-", "--json", input: (1...300).map(line).joined(separator: "\n"))
        #expect(again.status == 0, "\(again.errors)")
        #expect(again.output == #"{"lines":300,"submitted":0,"existing":300}"# + "\n")
        let audit = try await system.zhiyue("audit", "list", "--json")
        #expect(audit.objects.count == 1)
    }

    @Test func `a line that is no task is named, and those before it are submitted`() async throws {
        let system = try await CommandSystem()
        let bad = #"{"type":"report_generation","payload":{"kind":"results_csv","results_version":1}}"#
        let path = try file([line(1), line(2), bad, line(3)], in: system)
        let run = try await system.zhiyue("tasks", "submit", "--file", path)
        #expect(run.status == 1)
        #expect(run.errors.contains("line 3: that is no payload of report_generation: /exam_id is missing"))
        #expect(run.errors.contains("2 submitted, 0 were submitted before"))
        #expect(try await ready(system) == 2)
        let missing = try await system.zhiyue("tasks", "submit", "--file", "/nonexistent/tasks")
        #expect(missing.status == 1 && missing.errors.contains("/nonexistent/tasks"))
        let mixed = try await system.zhiyue("tasks", "submit", "report_generation", "{}", "--file", path)
        #expect(mixed.status == 2)
        #expect(try await system.zhiyue("tasks", "submit").status == 2)
    }

    @Test func `a full queue is waited for, and what it takes meanwhile is counted`() async throws {
        let system = try await CommandSystem()
        var configuration = TaskQueueConfiguration()
        configuration.maxLength = 4
        let queue = TaskQueue(client: system.client, keys: system.bus.keys, configuration: configuration)
        let path = try file((1...10).map(line), in: system)
        var run = TaskFileRun(queue: queue, patience: .zero, pause: .zero)
        let failure = await #expect(throws: CommandFailure.self) { try await run.submit(path) }
        #expect(failure?.description.contains("4 submitted, 0 were submitted before") == true)

        let worker = TaskWorker(
            queue: queue, handlers: [Taking()], maxWorkers: 1, name: "w", logger: .init(label: "test"))
        let working = Task { try await worker.run() }
        run = TaskFileRun(queue: queue, patience: .seconds(60), pause: .milliseconds(5))
        var shown: [(TaskFileRun.Counts, isFull: Bool)] = []
        run.progress = { shown.append(($0, $1)) }
        let counts = try await run.submit(path)
        #expect(shown.contains { $0.isFull && $0.0.lines < 10 })
        working.cancel()
        _ = try? await working.value
        #expect(counts == TaskFileRun.Counts(submitted: 6, existing: 4))
    }
}

private struct Taking: TaskHandler {
    func run(_ task: ReportTask, context: TaskContext) async throws -> TaskResult { .none }
}
