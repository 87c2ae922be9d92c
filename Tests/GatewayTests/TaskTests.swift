import Domain
import Foundation
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
