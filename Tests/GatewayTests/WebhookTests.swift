import Access
import Domain
import Foundation
import Testing
import Webhooks

@testable import Gateway

@Suite(.timeLimit(.minutes(5))) struct WebhookTests {
    private static let draft = """
        {"url":"https://School.example/hook?x=1","event_types":["grading.completed","exam.created","exam.created"],\
        "description":"the register"}
        """

    @Test func `a webhook is made, shown without its secret, changed and removed`() async throws {
        try await RunningGateway.run { gateway in
            let made = try await gateway.send("POST", "/api/webhooks", json: Self.draft)
            #expect(made.status == 201, "\(made.text)")
            let id = try #require(made.json["id"] as? String)
            let secret = try #require(made.json["secret"] as? String)
            #expect(secret.hasPrefix("whsec_"))
            #expect(Data(base64Encoded: String(secret.dropFirst(6)))?.count == 32)
            #expect(made.headers["location"] == "/api/webhooks/\(id)")
            #expect(made.json["url"] as? String == "https://school.example/hook?x=1")
            #expect(made.json["event_types"] as? [String] == ["exam.created", "grading.completed"])
            #expect(made.json["enabled"] as? Bool == true)

            let shown = try await gateway.send("GET", "/api/webhooks/\(id)")
            #expect(shown.status == 200)
            #expect(!shown.text.contains(secret))
            #expect(shown.json["secret"] == nil)
            let deliveries = shown.json["deliveries"] as? [String: Any]
            #expect(deliveries?["consecutive_failures"] as? Int == 0)
            #expect(deliveries?["last_success_at"] is NSNull)

            let patch = #"{"enabled":false,"event_types":["exam.deleted"],"description":""}"#
            let changed = try await gateway.send("PATCH", "/api/webhooks/\(id)", json: patch)
            #expect(changed.json["enabled"] as? Bool == false)
            #expect(changed.json["disabled_since"] is String)
            #expect(changed.json["event_types"] as? [String] == ["exam.deleted"])
            #expect(changed.json["description"] is NSNull)
            #expect(changed.json["url"] as? String == "https://school.example/hook?x=1")

            #expect(try await gateway.send("DELETE", "/api/webhooks/\(id)").status == 204)
            #expect(try await gateway.send("GET", "/api/webhooks/\(id)").problem == "webhook-not-found")
            let audit = try await gateway.send(
                "GET", "/api/audit?order=oldest", token: try await gateway.token("root", .admin))
            #expect(
                audit.items.compactMap { $0["action"] as? String } == [
                    "webhook.created", "webhook.changed", "webhook.removed",
                ])
            #expect(!audit.text.contains("school.example"))
            #expect(!audit.text.contains("whsec_"))
        }
    }

    @Test func `a request sent again makes one webhook, and its secret comes again`() async throws {
        try await RunningGateway.run { gateway in
            let key = ["Idempotency-Key": "hook-1"]
            let first = try await gateway.send("POST", "/api/webhooks", json: Self.draft, headers: key)
            let again = try await gateway.send("POST", "/api/webhooks", json: Self.draft, headers: key)
            #expect(first.status == 201)
            #expect(again.body == first.body)
            #expect(try await gateway.send("GET", "/api/webhooks").items.count == 1)
        }
    }

    @Test func `a new secret takes the place of the former one`() async throws {
        try await RunningGateway.run { gateway in
            let made = try await gateway.send("POST", "/api/webhooks", json: Self.draft)
            let id = try #require(made.json["id"] as? String)
            let rotated = try await gateway.send("POST", "/api/webhooks/\(id)/secret")
            #expect(rotated.status == 200)
            #expect((rotated.json["secret"] as? String)?.hasPrefix("whsec_") == true)
            #expect(rotated.json["secret"] as? String != made.json["secret"] as? String)
            #expect(rotated.json["former_secret_until"] is String)
        }
    }

    @Test func `lists are paged, an administrator's has all, a teacher's its own`() async throws {
        try await RunningGateway.run { gateway in
            let li = try await gateway.token("li", .teacher)
            let root = try await gateway.token("root", .admin)
            for token in [li, li, li, root] {
                #expect(try await gateway.send("POST", "/api/webhooks", json: Self.draft, token: token).status == 201)
            }
            #expect(try await gateway.send("GET", "/api/webhooks", token: root).items.count == 4)
            #expect(try await gateway.send("GET", "/api/webhooks").items.isEmpty)
            var (ids, cursor): ([String], String?) = ([], nil)
            repeat {
                let place = cursor.map { "&cursor=\($0)" } ?? ""
                let page = try await gateway.send("GET", "/api/webhooks?limit=2\(place)", token: li)
                #expect(page.items.count <= 2)
                ids += page.items.compactMap { $0["id"] as? String }
                cursor = page.json["next_cursor"] as? String
            } while cursor != nil
            #expect(ids.count == 3)
            #expect(ids == ids.sorted())
            #expect(Set(ids).count == 3)
        }
    }

    @Test func `a user has at most so many webhooks`() async throws {
        try await RunningGateway.run { gateway in
            for _ in 0..<Webhook.maxPerOwner {
                #expect(try await gateway.send("POST", "/api/webhooks", json: Self.draft).status == 201)
            }
            let more = try await gateway.send("POST", "/api/webhooks", json: Self.draft)
            #expect(more.status == 409)
            #expect(more.problem == "too-many")
        }
    }

    @Test(arguments: [
        ("GET", "", nil), ("PATCH", "", #"{"enabled":false}"#), ("POST", "/test", nil), ("POST", "/secret", nil),
        ("DELETE", "", nil),
    ])
    func `a webhook is its owner's and the administrators'`(method: String, path: String, body: String?) async throws {
        try await RunningGateway.run { gateway in
            for (user, role, status) in [
                ("zhang", Role.teacher, 200), ("root", .admin, 200), ("li", .teacher, 404), ("robot", .service, 403),
                ("m", .marker, 403), ("pupil", .student, 403),
            ] {
                // Its address leads to no host, so that a test of it is soon over.
                let draft = Self.draft.replacing("School.example", with: "school.invalid")
                let made = try await gateway.send("POST", "/api/webhooks", json: draft)
                let id = try #require(made.json["id"] as? String)
                let token = try await gateway.token(UserID(user), role)
                let address = "/api/webhooks/\(id)\(path)"
                let answer =
                    if let body {
                        try await gateway.send(method, address, json: body, token: token)
                    } else {
                        try await gateway.send(method, address, token: token)
                    }
                #expect(answer.status == (status == 200 && method == "DELETE" ? 204 : status), "\(user) \(answer.text)")
                if status == 404 { #expect(answer.problem == "webhook-not-found") }
            }
        }
    }

    @Test func `a test of a webhook tells what came of it`() async throws {
        try await RunningGateway.run { gateway in
            let draft = Self.draft.replacing("School.example", with: "school.invalid")
            let made = try await gateway.send("POST", "/api/webhooks", json: draft)
            let id = try #require(made.json["id"] as? String)
            let answer = try await gateway.send("POST", "/api/webhooks/\(id)/test")
            #expect(answer.status == 200)
            #expect(answer.json["delivered"] as? Bool == false)
            #expect(answer.json["status"] is NSNull)
            #expect(answer.json["reason"] as? String == "the host was not found")
        }
    }

    @Test(arguments: [
        (#"{"event_types":["exam.created"]}"#, "/url"), (#"{"url":"https://a.example"}"#, "/event_types"),
        (#"{"url":"https://a.example","event_types":[]}"#, "/event_types"),
        (#"{"url":"https://a.example","event_types":["exam.exploded"]}"#, "/event_types"),
        (#"{"url":"https://a.example","event_types":["exam.created"],"exam_ids":["a b"]}"#, "/exam_ids"),
        (#"{"url":"http://a.example","event_types":["exam.created"]}"#, "/url"),
        (#"{"url":"https://127.0.0.1/","event_types":["exam.created"]}"#, "/url"),
    ])
    func `what cannot be a webhook is refused with the place that is wrong`(body: String, pointer: String) async throws
    {
        try await RunningGateway.run { gateway in
            let answer = try await gateway.send("POST", "/api/webhooks", json: body)
            #expect(answer.status == 422, "\(answer.text)")
            #expect(answer.pointers.contains(pointer))
        }
    }

    @Test func `a teacher cannot ask for events of an exam it has nothing to do with`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            let body = #"{"url":"https://a.example","event_types":["exam.created"],"exam_ids":["\#(exam)"]}"#
            #expect(try await gateway.send("POST", "/api/webhooks", json: body).status == 201)
            let li = try await gateway.token("li", .teacher)
            #expect(try await gateway.send("POST", "/api/webhooks", json: body, token: li).problem == "exam-not-found")
        }
    }
}
