import Audit
import Domain
import EventBus
import Foundation
import HTTPTypes
import ServiceKit
import TaskQueue
import Testing

@testable import Gateway

@Suite struct TaskTests {
    @Test func `a task is submitted once, listed, shown, cancelled and retried`() async throws {
        try await RunningGateway.run { gateway in
            let admin = try await gateway.token("root", .admin)
            let json = """
                {"type":"report_generation","priority":"high","exam_id":"e1",\
                "payload":{"kind":"results_csv","exam_id":"e1","results_version":3}}
                """
            let created = try await gateway.send("POST", "/api/tasks", json: json, token: admin)
            #expect(created.status == 201, "\(created.text)")
            let id = try #require(created.json["id"] as? String)
            #expect(id == "results_csv:e1:v3")
            let again = try await gateway.send("POST", "/api/tasks", json: json, token: admin)
            #expect(again.status == 200)
            #expect(again.json["created"] as? Bool == false)

            let list = try await gateway.send("GET", "/api/tasks?state=ready", token: admin)
            #expect(list.items.map { $0["id"] as? String } == [id])
            let shown = try await gateway.send("GET", "/api/tasks/\(id)", token: admin)
            #expect(shown.json["priority"] as? String == "high")

            let cancelled = try await gateway.send("POST", "/api/tasks/\(id)/cancel", token: admin)
            #expect(cancelled.status == 202)
            #expect(cancelled.json["state"] as? String == "cancelled")
            let twice = try await gateway.send("POST", "/api/tasks/\(id)/cancel", token: admin)
            #expect(twice.status == 409)
            #expect(twice.problem == "wrong-state")
            let retried = try await gateway.send("POST", "/api/tasks/\(id)/retry", token: admin)
            #expect(retried.status == 202)
            #expect(retried.json["state"] as? String == "ready")
            #expect(try await gateway.send("GET", "/api/tasks/none", token: admin).problem == "task-not-found")
        }
    }

    @Test func `tasks of all types are listed page by page`() async throws {
        try await RunningGateway.run { gateway in
            let admin = try await gateway.token("root", .admin)
            var expected: Set<String> = []
            for number in 1...5 {
                for json in [
                    """
                    {"type":"report_generation","payload":\
                    {"kind":"results_csv","exam_id":"e1","results_version":\(number)}}
                    """,
                    #"{"type":"batch_processing","payload":{"kind":"remark","exam_id":"e1","key_version":\#(number)}}"#,
                ] {
                    let answer = try await gateway.send("POST", "/api/tasks", json: json, token: admin)
                    expected.insert(try #require(answer.json["id"] as? String))
                }
            }
            var listed: [String] = []
            var cursor = ""
            repeat {
                let page = try await gateway.send("GET", "/api/tasks?limit=3\(cursor)", token: admin)
                listed += page.items.compactMap { $0["id"] as? String }
                let next = (page.json["next_cursor"] as? String)?
                    .addingPercentEncoding(withAllowedCharacters: .alphanumerics)
                cursor = next.map { "&cursor=\($0)" } ?? ""
            } while !cursor.isEmpty
            #expect(listed.count == 10)
            #expect(Set(listed) == expected)
        }
    }

    @Test(arguments: [
        (#"{"type":"no_such","payload":{}}"#, 422, "/type"),
        (#"{"type":"batch_processing","payload":{"kind":"remark","key_version":1}}"#, 400, "/payload/exam_id"),
        (#"{"type":"batch_processing","payload":{},"delay_seconds":-1}"#, 422, "/delay_seconds"),
        (#"{"payload":{}}"#, 400, "/type"),
        (#"{"type":"batch_processing","priority":"urgent","payload":{}}"#, 400, "/priority"),
    ])
    func `a task that cannot be is refused with the place`(json: String, status: Int, pointer: String) async throws {
        try await RunningGateway.run { gateway in
            let admin = try await gateway.token("root", .admin)
            let answer = try await gateway.send("POST", "/api/tasks", json: json, token: admin)
            #expect(answer.status == status, "\(answer.text)")
            #expect(answer.pointers == [pointer])
        }
    }

    @Test func `many tasks are submitted at once, answered in their order, and submitted again without harm`()
        async throws
    {
        try await RunningGateway.run { gateway in
            let admin = try await gateway.token("root", .admin)
            let tasks = (1...1000).map { number in
                number.isMultiple(of: 2)
                    ? #"{"type":"report_generation","payload":{"kind":"results_csv","exam_id":"e1","results_version":\#(number)}}"#
                    : #"{"type":"batch_processing","payload":{"kind":"remark","exam_id":"e1","key_version":\#(number)}}"#
            }
            let json = "{\"tasks\":[\(tasks.joined(separator: ","))]}"
            let first = try await gateway.send("POST", "/api/tasks", json: json, token: admin)
            #expect(first.status == 201, "\(first.text.prefix(500))")
            #expect(first.items.count == 1000)
            #expect(first.items.allSatisfy { $0["created"] as? Bool == true })
            #expect(first.items[3]["id"] as? String == "results_csv:e1:v4")
            #expect(first.items.prefix(2).map { $0["type"] as? String } == ["batch_processing", "report_generation"])
            let again = try await gateway.send("POST", "/api/tasks", json: json, token: admin)
            #expect(again.status == 200)
            #expect(again.items.allSatisfy { $0["created"] as? Bool == false })
            #expect(again.items.map { $0["id"] as? String } == first.items.map { $0["id"] as? String })
            let statistics = try await gateway.context.queue.statistics(type: ReportTask.type)
            #expect(statistics.reduce(0) { $0 + $1.ready } == 500)
            // One entry for each type, not one for each task.
            let audit = try await gateway.send("GET", "/api/audit?action=tasks.submitted", token: admin)
            let counts = audit.items.compactMap { ($0["details"] as? [String: Any])?["count"] as? String }
            #expect(counts == ["500", "500"], "\(audit.text)")
        }
    }

    @Test(arguments: [
        (#"{"tasks":[]}"#, 422, ["/tasks"]),
        (#"{"tasks":[GOOD,{"type":"no_such","payload":{}},GOOD]}"#, 422, ["/tasks/1/type"]),
        (
            #"{"tasks":[GOOD,GOOD,GOOD,{"type":"batch_processing","payload":{"kind":"remark","key_version":1}}]}"#, 400,
            ["/tasks/3/payload/exam_id"]
        ),
        (#"{"tasks":[GOOD,{"payload":{}}]}"#, 400, ["/tasks/1/type"]),
        (
            #"{"tasks":[{"type":"x","payload":{}},GOOD,{"type":"batch_processing","payload":{},"delay_seconds":-1}]}"#,
            422, ["/tasks/0/type", "/tasks/2/delay_seconds"]
        ),
        (#"{"tasks":[{"type":"batch_processing","id":"a b","payload":GOODLOAD}]}"#, 422, ["/tasks/0/id"]),
    ])
    func `one malformed task among many keeps all from being submitted, and is named`(
        json: String, status: Int, pointers: [String]
    ) async throws {
        try await RunningGateway.run { gateway in
            let admin = try await gateway.token("root", .admin)
            let payload = #"{"kind":"remark","exam_id":"e1","key_version":1}"#
            let filled = json.replacingOccurrences(of: "GOODLOAD", with: payload)
                .replacingOccurrences(of: "GOOD", with: #"{"type":"batch_processing","payload":\#(payload)}"#)
            let answer = try await gateway.send("POST", "/api/tasks", json: filled, token: admin)
            #expect(answer.status == status, "\(answer.text)")
            #expect(answer.pointers == pointers)
            #expect(try await gateway.send("GET", "/api/tasks", token: admin).items.isEmpty)
        }
    }

    @Test func `more tasks than a thousand are refused, and a full queue says which it took`() async throws {
        try await RunningGateway.run { gateway in
            let requests = try (1...1001).map { number in
                try JSON.decode(
                    TaskRequest.self,
                    from: Array(
                        #"{"type":"batch_processing","payload":{"kind":"remark","exam_id":"e1","key_version":\#(number)}}"#
                            .utf8))
            }
            let audit = AuditLog(
                client: gateway.context.client, keys: gateway.context.settings.keys,
                partitions: gateway.context.settings.bus.partitions)
            func batch(room: Int) -> TaskBatch {
                var configuration = gateway.context.queue.configuration
                configuration.maxLength = room
                return TaskBatch(
                    queue: TaskQueue(
                        client: gateway.context.client, keys: gateway.context.settings.keys,
                        configuration: configuration), audit: audit)
            }
            let context = EventContext(source: "/test", correlationID: "c1")
            let tooMany = await #expect(throws: Problem.self) {
                try await batch(room: 7).submit(requests, context: context)
            }
            #expect(tooMany?.errors.map(\.pointer) == ["/tasks"])
            for _ in 1...2 {
                let full = await #expect(throws: Problem.self) {
                    try await batch(room: 7).submit(Array(requests.prefix(10)), context: context)
                }
                #expect(full?.status == .serviceUnavailable)
                #expect(full?.code == "queue-full")
                #expect(full?.headers[.retryAfter] == "10")
                #expect(full?.errors.map(\.pointer) == ["/tasks/7", "/tasks/8", "/tasks/9"])
                #expect(full?.detail.contains("7 of 10 tasks were accepted") == true)
            }
            let items = try await batch(room: 10).submit(Array(requests.prefix(10)), context: context)
            #expect(items.map(\.created) == Array(repeating: false, count: 7) + [true, true, true])
        }
    }

    @Test func `a teacher sees and steers the tasks of own exams alone`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            let upload = try await gateway.upload(exam, [("a.png", RunningGateway.png(1))])
            let task = try #require((upload.json["sheets"] as? [[String: Any]])?.first?["task_id"] as? String)
            #expect(try await gateway.send("GET", "/api/tasks/\(task)").status == 200)
            let other = try await gateway.token("li", .teacher)
            #expect(try await gateway.send("GET", "/api/tasks/\(task)", token: other).status == 404)
            #expect(try await gateway.send("POST", "/api/tasks/\(task)/cancel", token: other).status == 404)
            #expect(try await gateway.send("POST", "/api/tasks", json: "{}").status == 403)
            #expect(try await gateway.send("GET", "/api/tasks").status == 403)
        }
    }
}
