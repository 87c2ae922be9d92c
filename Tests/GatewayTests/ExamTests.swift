import Domain
import Foundation
import Testing

@testable import Gateway

@Suite struct ExamTests {
    @Test func `an exam is created, read, changed and deleted`() async throws {
        try await RunningGateway.run { gateway in
            let created = try await gateway.send("POST", "/api/exams", json: RunningGateway.examJSON)
            #expect(created.status == 201)
            let id = try #require(created.json["id"] as? String)
            #expect(created.headers["location"] == "/api/exams/\(id)")
            #expect(created.headers["etag"] == "\"1\"")
            #expect(created.json["owner"] as? String == "zhang")
            #expect(created.json["max_score"] as? Double == 10)

            let read = try await gateway.send("GET", "/api/exams/\(id)")
            #expect(read.status == 200)
            #expect((read.json["questions"] as? [[String: Any]])?.count == 3)
            let unchanged = try await gateway.send("GET", "/api/exams/\(id)", headers: ["If-None-Match": "\"1\""])
            #expect(unchanged.status == 304)

            let patched = try await gateway.send(
                "PATCH", "/api/exams/\(id)", json: #"{"title":"Final"}"#, headers: ["If-Match": "\"1\""])
            #expect(patched.status == 200)
            #expect(patched.json["title"] as? String == "Final")
            #expect(patched.headers["etag"] == "\"2\"")
            #expect(patched.json["key_version"] as? Int == 1)

            let late = try await gateway.send(
                "PATCH", "/api/exams/\(id)", json: #"{"title":"Lost"}"#, headers: ["If-Match": "\"1\""])
            #expect(late.status == 412)
            #expect(late.problem == "version-mismatch")
            for method in ["PUT", "DELETE"] {
                let tooLate = try await gateway.send(
                    method, "/api/exams/\(id)", json: RunningGateway.examJSON, headers: ["If-Match": "\"1\""])
                #expect(tooLate.status == 412, "\(method)")
                #expect(tooLate.headers["etag"] == "\"2\"", "\(method)")
            }
            // A weak tag is good enough to say that nothing changed, not to change something.
            let weak = try await gateway.send("GET", "/api/exams/\(id)", headers: ["If-None-Match": "W/\"1\", W/\"2\""])
            #expect(weak.status == 304)
            #expect(weak.body.isEmpty)
            let weakly = try await gateway.send("DELETE", "/api/exams/\(id)", headers: ["If-Match": "W/\"2\""])
            #expect(weakly.status == 412)

            let newKey = RunningGateway.examJSON.replacing(#""answer":"B""#, with: #""answer":"C""#)
            let replaced = try await gateway.send("PUT", "/api/exams/\(id)", json: newKey)
            #expect(replaced.status == 200)
            #expect(replaced.json["version"] as? Int == 3)
            #expect(replaced.json["key_version"] as? Int == 3)

            #expect(try await gateway.send("DELETE", "/api/exams/\(id)").status == 204)
            let gone = try await gateway.send("GET", "/api/exams/\(id)")
            #expect(gone.status == 404)
            #expect(gone.problem == "exam-not-found")
        }
    }

    @Test func `exams are listed page by page, the newest first, each teacher's own`() async throws {
        try await RunningGateway.run { gateway in
            var ids: [String] = []
            for _ in 0..<5 { ids.append(try await gateway.createExam()) }
            _ = try await gateway.createExam(token: try await gateway.token("li", .teacher))
            var listed: [String] = []
            var path = "/api/exams?limit=2"
            while true {
                let page = try await gateway.send("GET", path)
                #expect(page.status == 200)
                listed += page.items.compactMap { $0["id"] as? String }
                guard let cursor = page.json["next_cursor"] as? String else {
                    #expect(page.json["next_cursor"] is NSNull)
                    break
                }
                path = "/api/exams?limit=2&cursor=\(cursor)"
            }
            #expect(listed == ids.reversed())
            let all = try await gateway.send("GET", "/api/exams", token: try await gateway.token("root", .admin))
            #expect(all.items.count == 6)
        }
    }

    @Test func `a teacher sees and changes own exams alone, an administrator all`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            let other = try await gateway.token("li", .teacher)
            let admin = try await gateway.token("root", .admin)
            for path in ["", "/layout", "/answer-sheet.pdf", "/sheets", "/statistics", "/results.csv"] {
                let answer = try await gateway.send("GET", "/api/exams/\(exam)\(path)", token: other)
                #expect(answer.status == 404, "\(path)")
            }
            #expect(try await gateway.send("DELETE", "/api/exams/\(exam)", token: other).status == 404)
            let upload = try await gateway.upload(exam, [("a.png", RunningGateway.png(1))], token: other)
            #expect(upload.status == 404)
            #expect(try await gateway.send("GET", "/api/exams/\(exam)", token: admin).status == 200)
            #expect(try await gateway.send("DELETE", "/api/exams/\(exam)", token: admin).status == 204)
        }
    }

    @Test(
        arguments: [
            (#"{"title":"x","questions":"#, "malformed-json", ""),
            ("", "malformed-json", nil),
            (#"{"title":"x"}"#, "invalid-json", "/questions"),
            (#"{"title":7,"questions":[]}"#, "invalid-json", "/title"),
            (
                #"{"title":"x","questions":[{"number":1,"type":"single_choice","points":"two"}]}"#, "invalid-json",
                "/questions/0/points"
            ),
            (
                #"{"title":"x","questions":[{"number":1,"type":"riddle","points":2}]}"#, "invalid-json",
                "/questions/0/type"
            ),
            (#"[]"#, "invalid-json", ""),
        ] as [(String, String, String?)])
    func `wrong JSON is refused with the place`(json: String, code: String, pointer: String?) async throws {
        try await RunningGateway.run { gateway in
            let answer = try await gateway.send("POST", "/api/exams", json: json)
            #expect(answer.status == 400)
            #expect(answer.problem == code, "\(answer.text)")
            #expect(answer.pointers == (pointer.map { [$0] } ?? []), "\(answer.text)")
        }
    }

    @Test func `values out of range are refused, each with its place`() async throws {
        try await RunningGateway.run { gateway in
            let answer = try await gateway.send(
                "POST", "/api/exams",
                json: """
                    {"title":" ","student_id_digits":0,"questions":[
                    {"number":1,"type":"single_choice","options":4,"points":2,"answer":"E"},
                    {"number":1,"type":"numeric","points":-1,"answer":"x"}]}
                    """)
            #expect(answer.status == 422)
            #expect(answer.problem == "invalid-exam")
            #expect(
                Set(answer.pointers) == [
                    "/title", "/student_id_digits", "/questions/0/answer", "/questions/1/number", "/questions/1/points",
                    "/questions/1/answer",
                ])
        }
    }

    @Test func `the layout and its print are there at once`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            let layout = try await gateway.send("GET", "/api/exams/\(exam)/layout")
            #expect(layout.status == 200)
            let page = try #require((layout.json["pages"] as? [[String: Any]])?.first)
            #expect(page["width_mm"] as? Double == 210)
            #expect((page["corner_marks"] as? [Any])?.count == 4)
            let fields = try #require(page["fields"] as? [[String: Any]])
            #expect(Set(fields.compactMap { $0["name"] as? String }) == ["student_id", "q1", "q2", "q3"])

            let pdf = try await gateway.send("GET", "/api/exams/\(exam)/answer-sheet.pdf")
            #expect(pdf.status == 200)
            #expect(pdf.headers["content-type"] == "application/pdf")
            #expect(pdf.body.starts(with: Array("%PDF-".utf8)))
        }
    }

    @Test func `once sheets were uploaded a field cannot move but the key can change`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            #expect(try await gateway.upload(exam, [("a.png", RunningGateway.png(1))]).status == 202)
            let moved = try await gateway.send("PATCH", "/api/exams/\(exam)", json: #"{"student_id_digits":8}"#)
            #expect(moved.status == 409)
            #expect(moved.problem == "layout-fixed")
            let newKey = RunningGateway.examJSON.replacing(#""answer":"B""#, with: #""answer":"C""#)
            let changed = try await gateway.send("PUT", "/api/exams/\(exam)", json: newKey)
            #expect(changed.status == 200)
            #expect(changed.json["key_version"] as? Int == 2)
        }
    }
}
