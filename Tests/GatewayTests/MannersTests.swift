import AsyncHTTPClient
import Domain
import Foundation
import NIOCore
import ServiceKit
import Synchronization
import Testing

@testable import Gateway

/// What every answer has, whatever it is about.
@Suite struct MannersTests {
    @Test func `every answer says what browsers may do with it`() async throws {
        try await RunningGateway.run { gateway in
            for path in ["/api/exams", "/api/nothing", "/openapi.json", "/healthz"] {
                let answer = try await gateway.send("GET", path)
                #expect(answer.headers["x-content-type-options"] == "nosniff", "\(path)")
                #expect(answer.headers["x-frame-options"] == "DENY", "\(path)")
                #expect(answer.headers["referrer-policy"] == "no-referrer", "\(path)")
                #expect(
                    answer.headers["content-security-policy"]?.contains("frame-ancestors 'none'") == true, "\(path)")
                #expect(answer.headers["strict-transport-security"] == nil, "\(path)")
                #expect(answer.headers["access-control-allow-origin"] == nil, "\(path)")
            }
            #expect(try await gateway.send("GET", "/api/exams").headers["cache-control"] == "no-store")
        }
        var configuration = GatewayConfiguration()
        configuration.isBehindTLS = true
        try await RunningGateway.run(configuration) { gateway in
            let answer = try await gateway.send("GET", "/api/exams")
            #expect(answer.headers["strict-transport-security"] == "max-age=31536000")
        }
    }

    @Test func `identifiers and the trace of a request come back and go on`() async throws {
        try await RunningGateway.run { gateway in
            let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
            let created = try await gateway.send(
                "POST", "/api/exams", json: RunningGateway.examJSON,
                headers: ["traceparent": "00-\(trace)-00f067aa0ba902b7-01", "X-Request-ID": "r.1"])
            #expect(created.headers["x-request-id"] == "r.1")
            #expect(created.headers["x-correlation-id"] == trace)
            let events = try await gateway.send(
                "GET", "/api/events?correlation_id=\(trace)&exam_id=\(created.json["id"] ?? "")")
            #expect(events.items.first?["traceparent"] as? String == "00-\(trace)-00f067aa0ba902b7-01")
            let wrong = try await gateway.send(
                "GET", "/api/exams", headers: ["X-Request-ID": "a b", "traceparent": "x"])
            #expect(wrong.status == 200)
            #expect(wrong.headers["x-request-id"]?.count == 32)
            #expect(wrong.headers["x-correlation-id"]?.count == 32)
        }
    }

    @Test(
        arguments: [
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true),
            ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", true),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", false),
            ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false),
            ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false),
            ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false), ("", false), ("00", false),
        ])
    func `a trace is taken when it is one`(header: String, isValid: Bool) {
        #expect((TraceParent(header) != nil) == isValid)
    }

    // MARK: Rates

    @Test func `who asks too often is told to wait, by user and by address`() async throws {
        var configuration = GatewayConfiguration()
        configuration.rateLimitUser = 3
        configuration.rateLimitAddress = 8
        try await RunningGateway.run(configuration) { gateway in
            let first = try await gateway.send("GET", "/api/exams")
            #expect(first.headers["ratelimit-policy"] == #""user";q=3;w=60"#)
            #expect(first.headers["ratelimit"] == #""user";r=2;t=0"#)
            for _ in 0..<2 { #expect(try await gateway.send("GET", "/api/exams").status == 200) }
            let refused = try await gateway.send("GET", "/api/exams")
            #expect(refused.status == 429)
            #expect(refused.problem == "too-many-requests")
            #expect((1...20).contains(Int(refused.headers["retry-after"] ?? "") ?? 0))
            #expect(refused.headers["ratelimit-policy"] == #""user";q=3;w=60"#)
            let li = try await gateway.token("li", .teacher)
            #expect(try await gateway.send("GET", "/api/exams", token: li).status == 200)
            for _ in 0..<3 { _ = try await gateway.send("GET", "/openapi.json", token: "") }
            let stopped = try await gateway.send("GET", "/openapi.json", token: "")
            #expect(stopped.status == 429)
            #expect(stopped.headers["ratelimit-policy"] == #""address";q=8;w=60"#)
            #expect(try await gateway.send("GET", "/healthz", token: "").status == 200)
        }
    }

    @Test func `a bucket fills up evenly, and of many clients those of late are remembered`() {
        let clock = Mutex(ContinuousClock.now)
        let limiter = RateLimiter(quota: 6, maxClients: 10) { clock.withLock { $0 } }
        #expect((0..<6).map { _ in limiter.count("a").isAllowed } == Array(repeating: true, count: 6))
        #expect(limiter.count("a") == RateLimiter.Verdict(isAllowed: false, remaining: 0, wait: 10))
        clock.withLock { $0 += .seconds(25) }
        #expect(limiter.count("a") == RateLimiter.Verdict(isAllowed: true, remaining: 1, wait: 0))
        #expect(limiter.count("a").isAllowed)
        #expect(limiter.count("a") == RateLimiter.Verdict(isAllowed: false, remaining: 0, wait: 5))
        for index in 0..<15 { #expect(limiter.count("b\(index)").remaining == 5) }
        #expect(!limiter.count("a").isAllowed)
        for index in 0..<30 { _ = limiter.count("c\(index)") }
        #expect(limiter.count("a").remaining == 5)
        clock.withLock { $0 += .seconds(3600) }
        #expect(limiter.count("a").remaining == 5)
    }

    // MARK: Foreign pages

    @Test func `pages of the origins named may use the API, and no others`() async throws {
        var configuration = GatewayConfiguration()
        configuration.origins = try #require(CrossOrigin("https://school.example, http://localhost:5173"))
        try await RunningGateway.run(configuration) { gateway in
            func ask(_ origin: String) async throws -> RunningGateway.Answer {
                try await gateway.send(
                    "OPTIONS", "/api/exams", token: "",
                    headers: ["Origin": origin, "Access-Control-Request-Method": "POST"])
            }
            let allowed = try await ask("https://school.example")
            #expect(allowed.status == 204)
            #expect(allowed.headers["access-control-allow-origin"] == "https://school.example")
            #expect(allowed.headers["access-control-allow-headers"]?.contains("Idempotency-Key") == true)
            let foreign = try await ask("https://evil.example")
            #expect(foreign.status == 405)
            #expect(foreign.headers["access-control-allow-origin"] == nil)
            let read = try await gateway.send("GET", "/api/exams", headers: ["Origin": "http://localhost:5173"])
            #expect(read.headers["access-control-allow-origin"] == "http://localhost:5173")
            #expect(read.headers["access-control-expose-headers"]?.contains("ETag") == true)
            #expect(read.headers["vary"]?.contains("Origin") == true)
            #expect(read.headers["access-control-allow-credentials"] == nil)
        }
    }

    @Test func `what is no origin stops the gateway`() {
        #expect(CrossOrigin("*") != nil)
        for text in ["school.example", "ftp://a", "https://", "https://a/b", "https://a, ,"] {
            #expect(CrossOrigin(text) == nil, "\(text)")
        }
    }

    // MARK: Compression

    @Test func `long text is compressed for those who take it`() async throws {
        try await RunningGateway.run { gateway in
            // The shared one unpacks what it gets.
            let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: HTTPClient.Configuration())
            defer { client.shutdown { _ in } }
            let plain = try await gateway.send("GET", "/openapi.json", token: "", client: client)
            #expect(plain.headers["content-encoding"] == nil)
            #expect(plain.headers["vary"] == "Accept-Encoding")
            let packed = try await gateway.send(
                "GET", "/openapi.json", token: "", headers: ["Accept-Encoding": "gzip"], client: client)
            #expect(packed.headers["content-encoding"] == "gzip")
            #expect(packed.headers["etag"] == plain.headers["etag"])
            #expect(packed.body.starts(with: [0x1F, 0x8B]))
            #expect(packed.body.count < plain.body.count / 4)
            #expect(try gunzip(packed.body) == plain.body)
            let short = try await gateway.send(
                "GET", "/api/exams", headers: ["Accept-Encoding": "gzip"], client: client)
            #expect(short.headers["content-encoding"] == nil)
            let head = try await gateway.send("HEAD", "/openapi.json", token: "", headers: ["Accept-Encoding": "gzip"])
            #expect(head.status == 200)
            #expect(head.body.isEmpty)
        }
    }

    @Test(
        arguments: [
            (nil, false), ("", false), ("gzip", true), ("br, gzip;q=0.5", true), ("gzip;q=0", false), ("*", true),
            ("*;q=0", false), ("*, gzip;q=0", false), ("identity", false), ("GZIP ; q=1", true), ("gzip;q=x", false),
        ] as [(String?, Bool)])
    func `who takes gzip is who says so`(header: String?, accepts: Bool) {
        #expect(CompressionMiddleware.accepts(header) == accepts)
    }

    @Test(arguments: [0, 1, 16_384, 1_000_003])
    func `whatever the pieces, what comes out is what went in`(count: Int) throws {
        var random = SplitMix(seed: UInt64(count))
        let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        let stream = try GzipStream()
        var packed: [UInt8] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            packed += try stream.compress(ByteBuffer(bytes: rest.prefix(70_001))).readableBytesView
            rest = rest.dropFirst(70_001)
        }
        packed += try stream.finish().readableBytesView
        #expect(try gunzip(packed) == bytes)
    }

    private func gunzip(_ bytes: [UInt8]) throws -> [UInt8] {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("zy-\(UUID().uuidString).gz")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(bytes).write(to: file)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc", file.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let plain = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return Array(plain)
    }
}
