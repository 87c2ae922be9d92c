import Domain
import EventBus
import Foundation
import Logging
import TaskQueue
import TestSupport
import Testing

@testable import ZhiYueCLI

@Suite(.timeLimit(.minutes(2))) struct TaskCommandTests {
    private func payload(_ version: Int, exam: String = "a") -> String {
        #"{"kind":"results_csv","exam_id":"\#(exam)","results_version":\#(version)}"#
    }

    private func state(_ system: CommandSystem, _ id: String) async throws -> String? {
        let shown = try await system.zhiyue("tasks", "show", id, "--json")
        #expect(shown.status == 0, "\(shown.errors)")
        return shown.objects.first?["state"] as? String
    }

    @Test func `a task is submitted once, listed, shown, cancelled and retried, and the audit log says by whom`()
        async throws
    {
        let system = try await CommandSystem()
        let submit = ["tasks", "submit", "report_generation", payload(1), "--exam-id", "a"]
        let environment = ["REDIS_URL": system.redis.url]
        let first = try await CommandRun.zhiyue(submit + ["--json"], environment: environment)
        #expect(first.status == 0, "\(first.errors)")
        #expect(first.objects.first?["created"] as? Bool == true)
        let id = try #require(first.objects.first?["id"] as? String)
        let again = try await CommandRun.zhiyue(submit, environment: environment)
        #expect(again.output == "\(id) was submitted before\n")
        let later = try await system.zhiyue(
            "tasks", "submit", "report_generation", payload(2), "--priority", "high", "--delay", "3600")
        #expect(later.status == 0, "\(later.errors)")

        let list = try await system.zhiyue("tasks", "list", "--json")
        #expect(list.objects.compactMap { $0["state"] as? String } == ["ready", "scheduled"])
        #expect(list.objects.compactMap { $0["priority"] as? String } == ["low", "high"])
        let ready = try await system.zhiyue("tasks", "list", "--type", "report_generation", "--state", "ready")
        #expect(ready.lines.count == 2)
        #expect(ready.lines[1].hasPrefix(id))
        let cut = try await system.zhiyue("tasks", "list", "--limit", "1")
        #expect(cut.lines.count == 2)
        #expect(cut.errors.contains("raise --limit"))

        let text = try await system.zhiyue("tasks", "show", id)
        #expect(text.lines.contains("state        ready"))
        #expect(text.output.contains(#""results_version":1"#))
        #expect(try await system.zhiyue("tasks", "cancel", id).output == "\(id) cancelled\n")
        #expect(try await state(system, id) == "cancelled")
        #expect(try await system.zhiyue("tasks", "retry", id).output == "\(id) waits again\n")
        #expect(try await state(system, id) == "ready")

        let audit = try await system.zhiyue("audit", "list", "--json")
        let actions = audit.objects.compactMap { $0["action"] as? String }
        #expect(actions == ["tasks.retried", "tasks.cancelled", "tasks.submitted", "tasks.submitted"])
        #expect(audit.objects.last?["exam_id"] as? String == "a")
        #expect(audit.objects.last?["subject"] as? String == id)
    }

    @Test func `dead tasks are forgotten, and a paused queue gives none out`() async throws {
        let system = try await CommandSystem()
        let queue = TaskQueue(
            client: system.client, keys: system.bus.keys, configuration: TaskQueueConfiguration())
        for version in 1...3 {
            let run = try await system.zhiyue("tasks", "submit", "report_generation", payload(version))
            #expect(run.status == 0, "\(run.errors)")
        }
        #expect(
            try await system.zhiyue("tasks", "pause", "report_generation").output == "report_generation is paused\n")
        #expect(try await system.zhiyue("tasks", "pause", "report_generation").output.contains("paused before"))
        #expect(try await queue.statistics(type: ReportTask.type).allSatisfy(\.isPaused))
        #expect(try await system.zhiyue("tasks", "resume", "report_generation").output == "report_generation goes on\n")
        #expect(try await queue.statistics(type: ReportTask.type).allSatisfy { !$0.isPaused })

        // All of them die.
        let worker = TaskWorker(
            queue: queue, handlers: [Refusing()], maxWorkers: 2, name: "w", logger: .init(label: "test"))
        let running = Task { try await worker.run() }
        let dead = { try await queue.statistics(type: ReportTask.type).reduce(0) { $0 + $1.dead } }
        while try await dead() < 3 { try await Task.sleep(for: .milliseconds(5)) }
        running.cancel()
        _ = try? await running.value

        let list = try await system.zhiyue("tasks", "list", "--state", "failed")
        #expect(list.lines.count == 4)
        #expect(list.lines[1].contains("no, thanks"))
        let id = try #require(list.lines[1].split(separator: " ").first.map { String($0) })
        #expect(try await system.zhiyue("tasks", "purge", "report_generation", id).output == "1 forgotten\n")
        #expect(try await system.zhiyue("tasks", "purge", "report_generation", id).status == 1)
        #expect(try await system.zhiyue("tasks", "purge", "report_generation", "--all").output == "2 forgotten\n")
        #expect(try await dead() == 0)
    }

    @Test func `a task is followed to its end, and its queue tells what was done, and by whom`() async throws {
        let system = try await CommandSystem()
        let queue = TaskQueue(
            client: system.client, keys: system.bus.keys, configuration: TaskQueueConfiguration())
        let submitted = try await system.zhiyue("tasks", "submit", "report_generation", payload(1), "--json")
        let id = try #require(submitted.objects.first?["id"] as? String)
        #expect(
            try await system.zhiyue("tasks", "limit", "report_generation", "--running", "2").output
                == "report_generation: at most 2 at the same time\n")
        let worker = TaskWorker(
            queue: queue, handlers: [Refusing()], maxWorkers: 3, name: "w", logger: .init(label: "test"))
        let running = Task { try await worker.run() }
        let followed = try await system.zhiyue("tasks", "show", id, "--follow")
        #expect(followed.status == 1)
        #expect(followed.errors.contains("failed, try 1 of 4, no, thanks"))
        #expect(followed.lines.contains { $0.hasPrefix("run 1 ") && $0.hasSuffix("by w: no, thanks") })
        let shown = try await system.zhiyue("tasks", "queues", "report_generation")
        running.cancel()
        _ = try? await running.value
        #expect(shown.lines.first == "report_generation: at most 2 at the same time")
        #expect(shown.output.contains("low: 0 ready, 0 scheduled, 0 running, 1 dead"))
        #expect(shown.output.contains("worker w:"))
        let metrics = try await system.zhiyue("tasks", "queues", "report_generation", "--json")
        #expect((metrics.objects.first?["total"] as? [String: Any])?["failed"] as? Int == 1)
    }

    @Test func `what recurs is set, listed and removed`() async throws {
        let system = try await CommandSystem()
        let set = try await system.zhiyue(
            "tasks", "schedules", "set", "nightly", "report_generation", payload(1), "--cron", "0 2 * * *", "--zone",
            "Asia/Shanghai")
        #expect(set.status == 0, "\(set.errors)")
        #expect(set.output.hasPrefix("nightly is due next at "))
        #expect(set.output.contains("T18:00:00"))
        let list = try await system.zhiyue("tasks", "schedules")
        #expect(list.lines.count == 2)
        #expect(list.lines[1].hasPrefix("nightly"))
        #expect(try await system.zhiyue("tasks", "list", "--state", "scheduled").lines.count == 2)
        let removed = try await system.zhiyue("tasks", "schedules", "remove", "nightly", "report_generation")
        #expect(removed.output == "nightly removed\n")
        #expect(try await system.zhiyue("tasks", "list", "--state", "scheduled").lines.count == 1)
        #expect(try await system.zhiyue("tasks", "schedules", "remove", "nightly", "report_generation").status == 1)
    }

    @Test(arguments: [
        (["submit", "nonsense", "{}"], 2, "there are ocr_processing"),
        (["submit", "report_generation", "{"], 1, "not valid JSON"),
        (["submit", "report_generation", #"{"kind":"results_csv"}"#], 1, "/exam_id is missing"),
        (["submit", "report_generation", "{}", "--delay", "-1"], 2, "delay"),
        (["show", "none"], 1, "there is no task none"),
        (["show", "a b"], 2, "no id of a task"),
        (["retry", "none"], 1, "there is no task none"),
        (["purge", "report_generation"], 2, "say which"),
        (["list", "--state", "lost"], 2, "lost"),
        (["list", "--limit", "0"], 2, "at least 1"),
        (["submit", "report_generation", "{}", "--timeout", "0"], 2, "--timeout"),
        (["limit", "report_generation", "--running", "0"], 2, "tasks pause"),
        (
            [
                "schedules", "set", "a", "report_generation",
                #"{"kind":"results_csv","exam_id":"a","results_version":1}"#,
                "--cron", "60 * * * *",
            ], 1, "minute"
        ),
    ])
    func `what cannot be done says why`(arguments: [String], status: Int32, error: String) async throws {
        let system = try await CommandSystem()
        let run = try await CommandRun.zhiyue(["tasks"] + arguments, environment: ["REDIS_URL": system.redis.url])
        #expect(run.status == status)
        #expect(run.errors.contains(error), "\(run.errors)")
    }
}

private struct Refusing: TaskHandler {
    func run(_ task: ReportTask, context: TaskContext) async throws -> TaskResult {
        throw TaskFailure(retryable: false, message: "no, thanks")
    }
}
