import Domain
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Redis
import ServiceKit
import Testing

@testable import Gateway

@Suite struct RepeatTests {
    private static let key = ["Idempotency-Key": "one-of-mine"]

    @Test func `a request sent again gets the same answer and makes nothing`() async throws {
        try await RunningGateway.run { gateway in
            let first = try await gateway.send("POST", "/api/exams", json: RunningGateway.examJSON, headers: Self.key)
            #expect(first.status == 201)
            #expect(first.headers["idempotency-replayed"] == nil)
            let again = try await gateway.send("POST", "/api/exams", json: RunningGateway.examJSON, headers: Self.key)
            #expect(again.status == 201)
            #expect(again.headers["idempotency-replayed"] == "true")
            #expect(again.body == first.body)
            for name in ["location", "etag", "content-type"] { #expect(again.headers[name] == first.headers[name]) }
            #expect(try await gateway.send("GET", "/api/exams").items.count == 1)
            let id = try #require(first.json["id"] as? String)
            #expect(try await gateway.send("GET", "/api/events?exam_id=\(id)").items.count == 1)

            let quoted = ["Idempotency-Key": "\"one-of-mine\""]
            let same = try await gateway.send("POST", "/api/exams", json: RunningGateway.examJSON, headers: quoted)
            #expect(same.body == first.body)
            let fresh = try await gateway.send("POST", "/api/exams", json: RunningGateway.examJSON)
            #expect(fresh.json["id"] as? String != id)
        }
    }

    @Test func `a key belongs to a user, an address and a content`() async throws {
        try await RunningGateway.run { gateway in
            let first = try await gateway.send("POST", "/api/exams", json: RunningGateway.examJSON, headers: Self.key)
            let other = RunningGateway.examJSON.replacing("Midterm", with: "Final")
            let changed = try await gateway.send("POST", "/api/exams", json: other, headers: Self.key)
            #expect(changed.status == 422)
            #expect(changed.problem == "idempotency-key-reused")
            let li = try await gateway.token("li", .teacher)
            let theirs = try await gateway.send("POST", "/api/exams", json: other, token: li, headers: Self.key)
            #expect(theirs.status == 201)
            #expect(theirs.json["id"] as? String != first.json["id"] as? String)
            for wrong in ["", "two words", String(repeating: "k", count: 256), "\u{e9}"] {
                let answer = try await gateway.send(
                    "POST", "/api/exams", json: other, headers: ["Idempotency-Key": wrong])
                #expect(answer.status == 400, "\(wrong)")
                #expect(answer.problem == "invalid-idempotency-key", "\(wrong)")
            }
        }
    }

    @Test func `a refused request has used up no key`() async throws {
        try await RunningGateway.run { gateway in
            let bad = try await gateway.send("POST", "/api/exams", json: #"{"title":7}"#, headers: Self.key)
            #expect(bad.status == 400)
            let good = try await gateway.send("POST", "/api/exams", json: RunningGateway.examJSON, headers: Self.key)
            #expect(good.status == 201)
        }
    }

    @Test func `of many at once one is done, and the others get its answer or are told to ask again`() async throws {
        try await RunningGateway.run { gateway in
            let answers = try await withThrowingTaskGroup(of: RunningGateway.Answer.self) { group in
                for _ in 0..<12 {
                    group.addTask {
                        try await gateway.send("POST", "/api/exams", json: RunningGateway.examJSON, headers: Self.key)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.allSatisfy { $0.status == 201 || $0.problem == "request-in-progress" })
            #expect(answers.count { $0.status == 201 && $0.headers["idempotency-replayed"] == nil } == 1)
            #expect(Set(answers.filter { $0.status == 201 }.map(\.text)).count == 1)
            #expect(try await gateway.send("GET", "/api/exams").items.count == 1)
        }
    }

    /// What a gateway killed between the effect and the keeping of its answer leaves: the exam, and no answer.
    @Test func `what a killed gateway made already is found by the repeated request`() async throws {
        try await RunningGateway.run { gateway in
            let first = try await gateway.send("POST", "/api/exams", json: RunningGateway.examJSON, headers: Self.key)
            let client = gateway.context.client
            let kept = try await client.send(["KEYS", "*:repeat:*"]).array ?? []
            let place = try #require(kept.first?.string)
            _ = try await client.send(["DEL", place])
            let again = try await gateway.send("POST", "/api/exams", json: RunningGateway.examJSON, headers: Self.key)
            #expect(again.status == 201)
            #expect(again.json["id"] as? String == first.json["id"] as? String)
            #expect(try await gateway.send("GET", "/api/exams").items.count == 1)
        }
    }

    @Test func `while one works on it another is refused, and the claim of a dead one ends`() async throws {
        try await RunningGateway.run { gateway in
            let (client, keys) = (gateway.context.client, gateway.context.settings.keys)
            let store = RepeatStore(lease: .seconds(6), client: client, keys: keys)
            let head = HTTPRequest(
                method: .post, scheme: "http", authority: "h", path: "/a", headerFields: [.idempotencyKey: "k"])
            let request = Request(head: head, body: RequestBody(buffer: ByteBuffer()))
            let key = try #require(try RepeatKey(request, user: "zhang"))
            let place = keys.global("repeat:\(key.digest)")
            func once(_ owner: String, _ body: () async throws -> Response) async throws -> Response {
                try await store.once(key, fingerprint: "f", owner: owner, logger: gateway.context.logger, body)
            }
            let response = try await once("a") {
                let refusal = await #expect(throws: Problem.self) { try await once("b") { Response(status: .ok) } }
                #expect(refusal?.code == "request-in-progress")
                // As long as it is at work its claim is renewed: the time that is left rises.
                var left = try await client.send(["PTTL", place]).int ?? 0
                while true {
                    let now = try await client.send(["PTTL", place]).int ?? 0
                    try #require(now > 0)
                    if now > left { break }
                    left = now
                }
                return try .json(["done": true])
            }
            #expect(response.status == .ok)
            let known = try await once("c") { Response(status: .noContent) }
            #expect(known.headers[.idempotencyReplayed] == "true")

            // A gateway that died at once after its claim.
            _ = try await client.send(["DEL", place])
            _ = try await client.send(["HSET", place, "fingerprint", "f", "owner", "dead"])
            _ = try await client.send(["PEXPIRE", place, 100])
            while try await client.send(["EXISTS", place]).int == 1 {}
            #expect(try await once("d") { try .json(["done": true]) }.headers[.idempotencyReplayed] == nil)
        }
    }

    @Test func `an upload sent again gets the same answer, however its form is cut`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            let scan = [("a.png", RunningGateway.png(1)), ("b.txt", Array("text".utf8))]
            let first = try await gateway.upload(exam, scan, headers: Self.key)
            #expect(first.status == 202)
            let again = try await gateway.upload(exam, scan, headers: Self.key)
            #expect(again.headers["idempotency-replayed"] == "true")
            #expect(again.body == first.body)
            let other = try await gateway.upload(exam, [("a.png", RunningGateway.png(2))], headers: Self.key)
            #expect(other.problem == "idempotency-key-reused")
            #expect(try await gateway.send("GET", "/api/exams/\(exam)/sheets").items.count == 1)
            #expect(try FileManager.default.contentsOfDirectory(atPath: gateway.incoming).isEmpty)
        }
    }

    @Test func `every address that creates takes a key`() async throws {
        try await RunningGateway.run { gateway in
            let paths = try #require(
                try await gateway.send("GET", "/openapi.json", token: "").json["paths"] as? [String: [String: Any]])
            for (path, item) in paths {
                guard let operation = item["post"] as? [String: Any],
                    let responses = operation["responses"] as? [String: Any],
                    responses["201"] != nil || path == "/api/upload" || path == "/api/events/replay"
                else { continue }
                let parameters = operation["parameters"] as? [[String: Any]] ?? []
                #expect(parameters.contains { $0["name"] as? String == "Idempotency-Key" }, "\(path)")
            }
        }
    }
}
