import AsyncHTTPClient
import Domain
import Foundation
import Testing

@testable import Gateway

/// Wrong input is refused, and told where it is wrong, at every address that takes any.
@Suite struct ValidationTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let method: String
        let path: String
        var body: String?
        let status: Int
        let code: String
        var pointers: [String] = []

        var testDescription: String { "\(method) \(path) \(body?.prefix(80) ?? "")" }
    }

    private static let queries: [Case] = [
        "/api/exams?limit=0", "/api/exams?limit=201", "/api/exams?limit=x", "/api/exams?limit=1.5",
        "/api/exams?limit=99999999999999999999", "/api/exams?cursor=x", "/api/exams?cursor=%00",
        "/api/exams?limit=1&limit=2", "/api/exams/EXAM/sheets?status=done", "/api/exams/EXAM/sheets?cursor=x",
        "/api/exams/EXAM/sheets?limit=501", "/api/notifications?cursor=x", "/api/notifications?limit=-1",
        "/api/events?exam_id=EXAM&from=yesterday", "/api/events?exam_id=EXAM&to=2026-13-01T00:00:00Z",
        "/api/events?exam_id=EXAM&type=exam.sold", "/api/events?exam_id=EXAM&cursor=1", "/api/events?exam_id=a.b",
        "/api/events?exam_id=EXAM&correlation_id=a%20b", "/api/events?exam_id=EXAM&limit=1001",
        "/api/dead-letters?exam_id=EXAM&cursor=x", "/api/dead-letters?exam_id=EXAM&limit=x", "/api/tasks?state=lost",
        "/api/tasks?priority=urgent", "/api/tasks?exam_id=a.b", "/api/tasks?type=cooking", "/api/tasks?cursor=x",
        "/api/audit?action=stolen", "/api/audit?order=up", "/api/audit?cursor=x", "/api/audit?from=1",
        "/api/audit?exam_id=a%2Fb", "/api/events/replay?limit=x",
    ].map { path in
        let name = path.split(separator: "?").last?.split(separator: "&").last?.split(separator: "=").first ?? ""
        return Case(method: "GET", path: path, status: 400, code: "invalid-query", pointers: ["?\(name)"])
    }

    private static let bodies: [Case] = [
        Case(
            method: "PUT", path: "/api/queues/ocr_processing/limits", body: #"{"running":0,"running_per_exam":-1}"#,
            status: 422, code: "invalid-value", pointers: ["/running", "/running_per_exam"]),
        Case(
            method: "PUT", path: "/api/queues/ocr_processing/limits", body: #"{"running":1.5}"#, status: 400,
            code: "invalid-json", pointers: ["/running"]),
        Case(
            method: "PUT", path: "/api/queues/ocr_processing/limits", body: #"{"running":1e300}"#, status: 400,
            code: "invalid-json", pointers: ["/running"]),
        Case(
            method: "PUT", path: "/api/queues/batch_processing/schedules/s",
            body: #"{"cron":"61 * * * *","payload":{"kind":"remark","exam_id":"e","key_version":1}}"#, status: 422,
            code: "invalid-value", pointers: ["/cron"]),
        Case(
            method: "PUT", path: "/api/queues/batch_processing/schedules/s",
            body: #"{"cron":"* * * * *","payload":{}}"#,
            status: 400, code: "invalid-json", pointers: ["/payload/kind"]),
        Case(
            method: "POST", path: "/api/events/replay", body: #"{"exam_id":"a.b","handler":"x"}"#, status: 422,
            code: "invalid-value", pointers: ["/exam_id"]),
        Case(
            method: "POST", path: "/api/events/replay",
            body: #"{"from":"2026-01-02T00:00:00Z","to":"2026-01-01T00:00:00Z","dry_run":true}"#, status: 422,
            code: "invalid-value", pointers: ["/to"]),
        Case(
            method: "POST", path: "/api/events/replay", body: #"{"from":"soon"}"#, status: 400, code: "invalid-json",
            pointers: ["/from"]),
        Case(
            method: "POST", path: "/api/events/replay", body: #"{"dry_run":"yes"}"#, status: 400,
            code: "invalid-json", pointers: ["/dry_run"]),
        Case(
            method: "POST", path: "/api/events/replay", body: "{}", status: 400, code: "nothing-selected",
            pointers: ["/handler"]),
        Case(
            method: "POST", path: "/api/dead-letters/requeue", body: #"{"exam_id":"a.b"}"#, status: 422,
            code: "invalid-value", pointers: ["/exam_id"]),
        Case(
            method: "POST", path: "/api/dead-letters/requeue", body: #"{"ids":["x"]}"#, status: 400,
            code: "invalid-json", pointers: ["/ids/0"]),
        Case(
            method: "POST", path: "/api/dead-letters/requeue", body: #"{"ids":"x"}"#, status: 400,
            code: "invalid-json", pointers: ["/ids"]),
        Case(
            method: "POST", path: "/api/dead-letters/requeue", body: #"{"type":"x"}"#, status: 400,
            code: "invalid-json", pointers: ["/type"]),
        Case(
            method: "PATCH", path: "/api/exams/EXAM", body: #"{"title":"  "}"#, status: 422, code: "invalid-exam",
            pointers: ["/title"]),
        Case(
            method: "PATCH", path: "/api/exams/EXAM", body: #"{"student_id_digits":"8"}"#, status: 400,
            code: "invalid-json", pointers: ["/student_id_digits"]),
        Case(
            method: "POST", path: "/api/exams",
            body: #"{"title":"x","questions":[{"number":1,"type":"open","points":1e308}]}"#, status: 422,
            code: "invalid-exam", pointers: ["/questions/0/points", "/questions/0/points"]),
        Case(
            method: "POST", path: "/api/exams",
            body: #"{"title":"x","questions":"# + String(repeating: "[", count: 5000),
            status: 400, code: "malformed-json", pointers: [""]),
        Case(
            method: "POST", path: "/api/exams",
            body: """
                {"title":"x","questions":[{"number":1,"type":"short_text","points":1,"answer":"x","digits":-9,"options":1,
                "max_edits":6,"height":1e9,"tolerance":-1,"rubric":[{"text":"","points":0}]}]}
                """, status: 422, code: "invalid-exam",
            pointers: ["options", "tolerance", "digits", "max_edits", "height", "rubric"].map { "/questions/0/\($0)" }),
        Case(
            method: "POST", path: "/api/auth/token", body: #"{"username":"x"}"#, status: 400, code: "invalid-json",
            pointers: ["/password"]),
        Case(
            method: "POST", path: "/api/auth/token", body: #"{"username":null,"password":""}"#, status: 400,
            code: "invalid-json", pointers: ["/username"]),
    ]

    @Test func `wrong values of a query are refused with their names`() async throws {
        try await check(Self.queries)
    }

    @Test func `wrong bodies are refused with the places`() async throws {
        try await check(Self.bodies)
    }

    @Test func `whatever takes JSON refuses what is none, what is empty and what is of another type`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            let review = try await ExamSite(gateway, student: "123456", isPublished: false, flag: .multiple).sheet
            let root = try await gateway.token("root", .admin)
            let paths = try #require(
                try await gateway.send("GET", "/openapi.json", token: "").json["paths"] as? [String: [String: Any]])
            var count = 0
            for (path, item) in paths {
                for (method, value) in item {
                    guard let body = (value as? [String: Any])?["requestBody"] as? [String: Any],
                        (body["content"] as? [String: Any])?["application/json"] != nil
                    else { continue }
                    count += 1
                    let address = path.replacing("{exam}", with: exam).replacing("{type}", with: "ocr_processing")
                        .replacing("{name}", with: "x").replacing("{review}", with: "\(review).q2")
                    func send(_ body: [UInt8], _ type: String) async throws -> RunningGateway.Answer {
                        try await gateway.send(
                            method.uppercased(), address, .bytes(body), token: root, headers: ["Content-Type": type])
                    }
                    for bytes in [
                        Array("{".utf8), [], [0xFF, 0xFE], Array("null x".utf8),
                        [0x7B, 0x22, 0x00, 0x22, 0x3A, 0x31, 0x7D],
                    ] {
                        let answer = try await send(bytes, "application/json")
                        #expect(answer.status == 400, "\(method) \(path) \(bytes): \(answer.text)")
                        #expect(answer.problem != nil, "\(method) \(path)")
                    }
                    let array = try await send(Array("[1]".utf8), "application/json")
                    #expect(array.problem == "invalid-json", "\(method) \(path) \(array.text)")
                    #expect(array.pointers == [""], "\(method) \(path)")
                    for type in ["text/plain", "application/json; charset=utf-16", "nonsense"] {
                        #expect(try await send(Array("{}".utf8), type).status == 415, "\(method) \(path) \(type)")
                    }
                    let large = try await send([UInt8](repeating: 0x20, count: (1 << 20) + 1), "application/json")
                    #expect(large.status == 413, "\(method) \(path)")
                }
            }
            #expect(count >= 8)
        }
    }

    private func check(_ cases: [Case]) async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            let root = try await gateway.token("root", .admin)
            for wrong in cases {
                let path = wrong.path.replacing("EXAM", with: exam)
                let answer =
                    if let body = wrong.body {
                        try await gateway.send(wrong.method, path, json: body, token: root)
                    } else {
                        try await gateway.send(wrong.method, path, token: root)
                    }
                #expect(answer.status == wrong.status, "\(wrong.testDescription): \(answer.text)")
                #expect(answer.problem == wrong.code, "\(wrong.testDescription): \(answer.text)")
                #expect(answer.pointers == wrong.pointers, "\(wrong.testDescription): \(answer.text)")
            }
        }
    }
}
