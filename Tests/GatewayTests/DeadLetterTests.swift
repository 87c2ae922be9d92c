import Audit
import Domain
import EventBus
import Foundation
import Testing

@testable import Gateway

@Suite struct DeadLetterTests {
    private func ids(_ answer: RunningGateway.Answer) -> [String] {
        answer.items.compactMap { $0["id"] as? String }
    }

    @Test func `dead letters are listed by group, exam and type, page by page, and shown with error and event`()
        async throws
    {
        try await RunningGateway.run { gateway in
            let admin = try await gateway.token("root", .admin)
            try await gateway.publish(1...5, exam: "a")
            try await gateway.publish(1...2, exam: "b", correlation: "other")
            try await gateway.giveUp(group: "g", letters: 7)

            var listed: [String] = []
            var cursor = ""
            repeat {
                let page = try await gateway.send("GET", "/api/dead-letters?group=g&limit=2\(cursor)", token: admin)
                #expect(page.status == 200, "\(page.text)")
                listed += ids(page)
                cursor = (page.json["next_cursor"] as? String).map { "&cursor=\($0)" } ?? ""
            } while !cursor.isEmpty
            #expect(Set(listed).count == 7)
            #expect(listed.count == 7)
            for (query, count) in [
                ("exam_id=b", 2), ("correlation_id=other", 2), ("type=exam.updated", 7), ("type=exam.created", 0),
                ("group=none", 0),
            ] {
                let answer = try await gateway.send("GET", "/api/dead-letters?\(query)", token: admin)
                #expect(answer.items.count == count, "\(query)")
            }
            #expect(try await gateway.send("GET", "/api/dead-letters?type=none", token: admin).status == 400)

            let shown = try await gateway.send("GET", "/api/dead-letters/\(listed[0])", token: admin)
            #expect(shown.json["handler"] as? String == "rejecting")
            #expect((shown.json["error"] as? String)?.hasPrefix("not ") == true)
            #expect(shown.json["deliveries"] as? Int == 1)
            #expect((shown.json["event"] as? [String: Any])?["specversion"] as? String == "1.0")
            for id in ["1-1.0", "1-1.99", "nonsense"] {
                let missing = try await gateway.send("GET", "/api/dead-letters/\(id)", token: admin)
                #expect(missing.problem == "dead-letter-not-found", "\(id)")
            }
        }
    }

    @Test func `those given back keep their order per exam and go to their group alone`() async throws {
        try await RunningGateway.run { gateway in
            let admin = try await gateway.token("root", .admin)
            try await gateway.publish(1...4, exam: "a")
            try await gateway.giveUp(group: "g", letters: 4)
            let all = ids(try await gateway.send("GET", "/api/dead-letters", token: admin))

            let body = try JSON.string(["ids": all.shuffled()])
            let answer = try await gateway.send("POST", "/api/dead-letters/requeue", json: body, token: admin)
            #expect(answer.status == 202, "\(answer.text)")
            #expect(answer.json["requeued"] as? Int == 4)
            #expect(ids(try await gateway.send("GET", "/api/dead-letters", token: admin)).isEmpty)

            // The group fails again, in the order the events had.
            try await gateway.giveUp(group: "g", letters: 4)
            let again = try await gateway.send("GET", "/api/dead-letters?group=g", token: admin)
            let versions = again.items.compactMap {
                (($0["event"] as? [String: Any])?["data"] as? [String: Any])?["version"] as? Int
            }
            #expect(versions == [1, 2, 3, 4])
            // The history has each once.
            #expect(try await gateway.send("GET", "/api/events?exam_id=a", token: admin).items.count == 4)
        }
    }

    @Test func `one is given back or forgotten once, many by a filter, and nothing by leaving it out`() async throws {
        try await RunningGateway.run { gateway in
            let admin = try await gateway.token("root", .admin)
            try await gateway.publish(1...3, exam: "a")
            try await gateway.publish(1...3, exam: "b")
            try await gateway.giveUp(group: "g", letters: 6)
            let first = ids(try await gateway.send("GET", "/api/dead-letters?exam_id=a", token: admin))

            #expect(
                try await gateway.send("POST", "/api/dead-letters/\(first[0])/requeue", token: admin).status == 202)
            let twice = try await gateway.send("POST", "/api/dead-letters/\(first[0])/requeue", token: admin)
            #expect(twice.problem == "dead-letter-not-found")
            #expect(try await gateway.send("DELETE", "/api/dead-letters/\(first[1])", token: admin).status == 204)
            #expect(try await gateway.send("DELETE", "/api/dead-letters/\(first[1])", token: admin).status == 404)

            #expect(try await gateway.send("DELETE", "/api/dead-letters", token: admin).problem == "nothing-selected")
            let nothing = try await gateway.send("POST", "/api/dead-letters/requeue", json: "{}", token: admin)
            #expect(nothing.problem == "nothing-selected")
            let purged = try await gateway.send("DELETE", "/api/dead-letters?exam_id=b", token: admin)
            #expect(purged.json["purged"] as? Int == 3)
            let rest = try await gateway.send("DELETE", "/api/dead-letters?all=true", token: admin)
            #expect(rest.json["purged"] as? Int == 1)

            let audit = try await gateway.send("GET", "/api/audit?order=oldest", token: admin)
            #expect(
                audit.items.compactMap { $0["action"] as? String } == [
                    "dead_letters.requeued", "dead_letters.purged", "dead_letters.purged", "dead_letters.purged",
                ])
            #expect(audit.items.allSatisfy { $0["actor"] as? String == "root" })
            #expect(audit.items.allSatisfy { $0["address"] as? String == "127.0.0.1" })
            #expect((audit.items[2]["details"] as? [String: String])?["count"] == "3")
        }
    }

    @Test func `teachers see and give back those of their own exams and forget none`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            try await gateway.publish(2...3, exam: ExamID(exam))
            try await gateway.giveUp(group: "g", letters: 3)
            #expect(try await gateway.send("GET", "/api/dead-letters").status == 403)
            let own = ids(try await gateway.send("GET", "/api/dead-letters?exam_id=\(exam)"))
            #expect(own.count == 3)

            let stranger = try await gateway.token("li", .teacher)
            for (method, path) in [
                ("GET", "/api/dead-letters?exam_id=\(exam)"), ("GET", "/api/dead-letters/\(own[0])"),
                ("POST", "/api/dead-letters/\(own[0])/requeue"),
            ] {
                #expect(try await gateway.send(method, path, token: stranger).status == 404, "\(method) \(path)")
            }
            let many = try JSON.string(["ids": own])
            #expect(
                try await gateway.send("POST", "/api/dead-letters/requeue", json: many, token: stranger).status == 404)
            #expect(try await gateway.send("DELETE", "/api/dead-letters/\(own[0])").status == 403)
            let requeued = try await gateway.send("POST", "/api/dead-letters/requeue", json: many)
            #expect(requeued.json["requeued"] as? Int == 3)
        }
    }
}
