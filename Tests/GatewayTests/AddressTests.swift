import AsyncHTTPClient
import Domain
import Foundation
import TestSupport
import Testing

@testable import Gateway

@Suite struct AddressTests {
    @Test func `an unknown address is 404 and a known one with another method 405, both as problems`() async throws {
        try await RunningGateway.run { gateway in
            let unknown = try await gateway.send("GET", "/api/nothing", token: "")
            #expect(unknown.status == 404)
            #expect(unknown.problem == "no-such-address")
            let other = try await gateway.send("DELETE", "/api/exams", token: "")
            #expect(other.status == 405)
            #expect(other.problem == "method-not-allowed")
            #expect(other.headers["allow"] == "GET, HEAD, POST")
            let type = try await gateway.send("POST", "/api/exams", .bytes(Array("{}".utf8)))
            #expect(type.status == 415)
            let head = try await gateway.send("HEAD", "/api/exams")
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
        }
    }

    @Test func `every answer carries the request's identifiers, or new ones in place of unusable ones`() async throws {
        try await RunningGateway.run { gateway in
            let given = try await gateway.send(
                "GET", "/api/nothing", token: "", headers: ["X-Request-ID": "abc.1", "X-Correlation-ID": "chain"])
            #expect(given.headers["x-request-id"] == "abc.1")
            #expect(given.headers["x-correlation-id"] == "chain")
            #expect(given.json["request_id"] as? String == "abc.1")
            let unusable = try await gateway.send(
                "GET", "/api/nothing", token: "", headers: ["X-Request-ID": "a b", "X-Correlation-ID": "{}"])
            #expect(unusable.headers["x-request-id"]?.count == 32)
            #expect(unusable.headers["x-correlation-id"]?.count == 32)
        }
    }

    @Test func `health answers without a token and readiness follows Redis`() async throws {
        try await RunningGateway.run { gateway in
            #expect(try await gateway.send("GET", "/healthz", token: "").status == 200)
            #expect(try await gateway.send("GET", "/readyz", token: "").status == 200)
            #expect(try await gateway.send("GET", "/metrics", token: "").text.contains("process_resident_memory_bytes"))
            #expect(try await gateway.send("POST", "/healthz", token: "").status == 405)
            gateway.redis.stop()
            #expect(try await gateway.send("GET", "/healthz", token: "").status == 200)
            #expect(try await gateway.send("GET", "/readyz", token: "").status == 503)
            let away = try await gateway.send("GET", "/api/exams")
            #expect(away.status == 503)
            #expect(away.problem == "store-unavailable")
            #expect(away.headers["retry-after"] == "2")
        }
    }

    @Test(arguments: [
        ("/api/exams?limit=0", "?limit"), ("/api/exams?limit=x", "?limit"), ("/api/exams?cursor=a%20b", "?cursor"),
        ("/api/events?type=no.such", "?type"), ("/api/events?from=yesterday", "?from"),
        ("/api/events?cursor=x", "?cursor"), ("/api/tasks?state=odd", "?state"), ("/api/tasks?type=odd", "?type"),
        ("/api/tasks?cursor=x", "?cursor"),
    ])
    func `a wrong query is refused with the parameter's name`(path: String, pointer: String) async throws {
        try await RunningGateway.run { gateway in
            let answer = try await gateway.send("GET", path, token: try await gateway.token("root", .admin))
            #expect(answer.status == 400, "\(answer.text)")
            #expect(answer.pointers == [pointer])
        }
    }

    @Test(arguments: [
        "/api/exams/%00", "/api/exams/..%2F..%2Fetc", "/api/sheets/x", "/api/sheets/%E8%AF%95.1", "/api/tasks/a%20b",
    ])
    func `an identifier that can be none is not found`(path: String) async throws {
        try await RunningGateway.run { gateway in
            let answer = try await gateway.send("GET", path)
            #expect(answer.status == 404)
        }
    }
}
