import Domain
import Foundation
import ServiceKit
import TaskQueue
import Testing

@testable import Gateway

/// The queues of tasks, for operators.
@Suite struct QueueTests {
    private static let task = """
        {"type":"report_generation","exam_id":"e1","payload":{"kind":"results_csv","exam_id":"e1","results_version":1}}
        """

    @Test func `queues are shown with what waits, what was done, and their limits`() async throws {
        try await RunningGateway.run { gateway in
            let admin = try await gateway.token("root", .admin)
            _ = try await gateway.send("POST", "/api/tasks", json: Self.task, token: admin)
            let list = try await gateway.send("GET", "/api/queues", token: admin)
            #expect(list.items.count == TaskCatalog.all.count)
            let limited = try await gateway.send(
                "PUT", "/api/queues/report_generation/limits", json: #"{"running":3,"running_per_exam":1}"#,
                token: admin)
            #expect(limited.status == 200, "\(limited.text)")
            let shown = try await gateway.send("GET", "/api/queues/report_generation", token: admin)
            let limits = try #require(shown.json["limits"] as? [String: Int])
            #expect(limits == ["running": 3, "running_per_exam": 1])
            let metrics = try #require(shown.json["metrics"] as? [String: Any])
            #expect((metrics["total"] as? [String: Int])?["submitted"] == 1)
            let priorities = try #require(shown.json["priorities"] as? [[String: Any]])
            #expect(priorities.map { $0["ready"] as? Int } == [0, 0, 1])

            let paused = try await gateway.send("POST", "/api/queues/report_generation/pause", token: admin)
            #expect((paused.json["priorities"] as? [[String: Any]])?.first?["paused"] as? Bool == true)
            _ = try await gateway.send("POST", "/api/queues/report_generation/resume", token: admin)
            let audit = try await gateway.send("GET", "/api/audit", token: admin)
            let actions = audit.items.compactMap { $0["action"] as? String }
            #expect(actions.prefix(4) == ["queue.resumed", "queue.paused", "queue.limited", "tasks.submitted"])
        }
    }

    @Test func `the queues are among the figures for Prometheus`() async throws {
        try await RunningGateway.run { gateway in
            let admin = try await gateway.token("root", .admin)
            _ = try await gateway.send("POST", "/api/tasks", json: Self.task, token: admin)
            let claims = try await gateway.context.queue.claim(ReportTask.type, count: 1, worker: "w")
            #expect(try await gateway.context.queue.complete(try #require(claims.tasks.first), result: []))
            _ = try await gateway.send(
                "POST", "/api/tasks", json: Self.task.replacing(#"version":1"#, with: #"version":2"#), token: admin)
            try await gateway.gauges.update()
            let metrics = try await gateway.send("GET", "/metrics", token: "").text
            let lines = Set(metrics.split(separator: "\n").map { String($0) })
            for line in [
                #"tasks{type="report_generation",priority="low",state="ready"} 1"#,
                #"tasks_total{type="report_generation",what="submitted"} 2"#,
                #"tasks_total{type="report_generation",what="completed"} 1"#,
                #"task_run_seconds_bucket{type="report_generation",priority="low",le="+Inf"} 1"#,
                #"task_wait_seconds_count{type="report_generation",priority="low"} 1"#,
            ] {
                #expect(lines.contains(line), "\(line) in \(metrics)")
            }
        }
    }

    @Test func `what recurs is set, shown and removed`() async throws {
        try await RunningGateway.run { gateway in
            let admin = try await gateway.token("root", .admin)
            let path = "/api/queues/report_generation/schedules/nightly"
            let json = """
                {"cron":"30 2 * * *","zone":"Asia/Shanghai",\
                "payload":{"kind":"results_csv","exam_id":"e1","results_version":1}}
                """
            let set = try await gateway.send("PUT", path, json: json, token: admin)
            #expect(set.status == 200, "\(set.text)")
            let next = try #require(set.json["next"] as? String)
            #expect(next.contains("T18:30:00"))
            let list = try await gateway.send("GET", "/api/queues/report_generation/schedules", token: admin)
            #expect(list.items.count == 1)
            let waiting = try await gateway.send("GET", "/api/tasks?state=scheduled", token: admin)
            #expect(waiting.items.map { $0["due_at"] as? String } == [next])
            #expect(try await gateway.send("DELETE", path, token: admin).status == 204)
            #expect(try await gateway.send("DELETE", path, token: admin).status == 404)
            #expect(try await gateway.send("GET", "/api/tasks?state=scheduled", token: admin).items.isEmpty)
        }
    }

    @Test(arguments: [
        ("PUT", "report_generation/limits", #"{"running":0}"#, 422),
        ("PUT", "report_generation/schedules/a", #"{"cron":"61 * * * *","payload":{}}"#, 400),
        (
            "PUT", "report_generation/schedules/a",
            #"{"cron":"@daily","zone":"../etc","payload":{"kind":"results_csv","exam_id":"e","results_version":1}}"#,
            400
        ),
        ("POST", "nonsense/pause", "{}", 404),
    ])
    func `what cannot be is refused`(method: String, path: String, json: String, status: Int) async throws {
        try await RunningGateway.run { gateway in
            let admin = try await gateway.token("root", .admin)
            let answer = try await gateway.send(method, "/api/queues/\(path)", json: json, token: admin)
            #expect(answer.status == status, "\(answer.text)")
            #expect(try await gateway.send("GET", "/api/queues").status == 403)
        }
    }

    @Test func `tasks are found by exam and priority, run as overridden, and dead ones are forgotten`() async throws {
        try await RunningGateway.run { gateway in
            let admin = try await gateway.token("root", .admin)
            for (number, exam, priority) in [(1, "e1", "high"), (2, "e2", "high"), (3, "e1", "low")] {
                let json = """
                    {"type":"report_generation","exam_id":"\(exam)","priority":"\(priority)","max_attempts":1,\
                    "timeout_seconds":5,"retry_delays_seconds":[1,2],"due_at":"2020-01-01T00:00:00Z",\
                    "payload":{"kind":"results_csv","exam_id":"\(exam)","results_version":\(number)}}
                    """
                #expect(try await gateway.send("POST", "/api/tasks", json: json, token: admin).status == 201)
            }
            let found = try await gateway.send("GET", "/api/tasks?exam_id=e1&priority=high", token: admin)
            #expect(found.items.map { $0["id"] as? String } == ["results_csv:e1:v1"])
            #expect(found.items.first?["max_attempts"] as? Int == 1)
            let refused = try await gateway.send("DELETE", "/api/tasks/results_csv:e1:v1", token: admin)
            #expect(refused.problem == "wrong-state")
            let bad = try await gateway.send("GET", "/api/tasks?priority=urgent", token: admin)
            #expect(bad.status == 400)
        }
    }
}
