import BlobStore
import Domain
import ExamStore
import Foundation
import ServiceKit
import TaskQueue
import Testing

@testable import Gateway

@Suite struct ReportTests {
    @Test func `results wait for the worker and come again without one`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            let queue = gateway.context.queue
            let csv = Array("student_id,score,max_score,q1,q2,q3\r\n".utf8)
            async let waiting = gateway.send("GET", "/api/exams/\(exam)/results.csv")
            // The batch worker's part.
            var claims: [TaskClaim] = []
            while claims.isEmpty {
                claims = try await queue.claim(ReportTask.type, count: 1, worker: "test").tasks
                await Task.yield()
            }
            let claim = claims[0]
            #expect(claim.priority == .high)
            let report = ReportRecord(blob: try await gateway.context.blobs.store(csv), bytes: csv.count)
            #expect(try await queue.complete(claim, result: try JSON.encode(report)))

            let answer = try await waiting
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.body == csv)
            #expect(answer.headers["content-type"]?.hasPrefix("text/csv") == true)
            #expect(answer.headers["content-disposition"]?.contains("results.csv") == true)
            #expect(try await gateway.send("GET", "/api/exams/\(exam)/results.csv").body == csv)
        }
    }

    @Test(arguments: ["report.pdf", "quality"])
    func `a report is made once for each state of exam and sheets, and named by its ETag`(path: String) async throws {
        try await RunningGateway.run { gateway in
            async let _: Void = gateway.makeReports()
            let exam = try await gateway.createExam()
            let address = "/api/exams/\(exam)/\(path)"
            let type = path == "quality" ? "application/json" : "application/pdf"
            let first = try await gateway.send("GET", address)
            #expect(first.status == 200, "\(first.text)")
            #expect(first.headers["content-type"] == type)
            let tag = try #require(first.headers["etag"])
            let same = try await gateway.send("GET", address, headers: ["If-None-Match": tag])
            #expect(same.status == 304 && same.body.isEmpty && same.headers["etag"] == tag)

            // What the report is about has changed: a sheet, and later the exam.
            let added = try await gateway.upload(exam, [(name: "a.png", content: RunningGateway.png(1))])
            #expect(added.status == 202, "\(added.text)")
            let second = try await gateway.send("GET", address, headers: ["If-None-Match": tag])
            #expect(second.status == 200 && second.body != first.body)
            _ = try await gateway.send("PATCH", "/api/exams/\(exam)", json: #"{"title":"another"}"#)
            let third = try await gateway.send("GET", address)
            #expect(third.body != second.body && third.body != first.body)
            #expect(try await gateway.send("GET", "/api/exams/none/\(path)").status == 404)
        }
    }

    @Test func `a report that fails is a problem that says why`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            let queue = gateway.context.queue
            async let waiting = gateway.send("GET", "/api/exams/\(exam)/results.csv")
            var claims: [TaskClaim] = []
            while claims.isEmpty {
                claims = try await queue.claim(ReportTask.type, count: 1, worker: "test").tasks
                await Task.yield()
            }
            #expect(try await queue.fail(claims[0], error: "no paper", mode: .bury))
            let answer = try await waiting
            #expect(answer.status == 500)
            #expect(answer.problem == "report-failed")
            #expect((answer.json["detail"] as? String)?.contains("no paper") == true)
        }
    }

    @Test func `statistics of an exam without marks are zero`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            let answer = try await gateway.send("GET", "/api/exams/\(exam)/statistics")
            #expect(answer.status == 200)
            #expect(answer.json["count"] as? Int == 0)
            #expect((answer.json["distribution"] as? [Any])?.count == 10)
            #expect(try await gateway.send("GET", "/api/exams/none/statistics").status == 404)
        }
    }

    @Test func `the status of the system names queues and partitions`() async throws {
        try await RunningGateway.run { gateway in
            let answer = try await gateway.send(
                "GET", "/api/system/status", token: try await gateway.token("tool", .service))
            #expect(answer.status == 200)
            let queues = try #require(answer.json["queues"] as? [[String: Any]])
            #expect(queues.count == 3 * TaskCatalog.all.count)
            #expect(queues.allSatisfy { $0["ready"] is Int && $0["oldest_seconds"] is Double })
            #expect((answer.json["partitions"] as? [Any])?.count == 4)
            #expect(answer.json["services"] is [Any])
        }
    }

    @Test func `the history of an exam is told in order and page by page`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            for title in ["a", "b", "c"] {
                _ = try await gateway.send("PATCH", "/api/exams/\(exam)", json: #"{"title":"\#(title)"}"#)
            }
            let first = try await gateway.send("GET", "/api/events?exam_id=\(exam)&limit=3")
            #expect(first.items.map { $0["type"] as? String } == ["exam.created", "exam.updated", "exam.updated"])
            #expect(first.items.allSatisfy { $0["specversion"] as? String == "1.0" })
            let cursor = try #require(first.json["next_cursor"] as? String)
            let second = try await gateway.send("GET", "/api/events?exam_id=\(exam)&limit=3&cursor=\(cursor)")
            #expect(second.items.count == 1)
            #expect(second.json["next_cursor"] is NSNull)
            #expect(try await gateway.send("GET", "/api/events").status == 403)
            let admin = try await gateway.token("root", .admin)
            #expect(try await gateway.send("GET", "/api/events?type=exam.updated", token: admin).items.count == 3)
        }
    }
}
