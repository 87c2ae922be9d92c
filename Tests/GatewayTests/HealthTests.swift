import HTTPTypes
import Redis
import ServiceKit
import TestSupport
import Testing

@testable import Gateway

@Suite struct HealthTests {
    @Test func `requests are counted by declared address and status`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            for _ in 0..<3 { _ = try await gateway.send("GET", "/api/exams/\(exam)") }
            _ = try await gateway.send("GET", "/api/exams/none")
            _ = try await gateway.send("GET", "/nothing/here")
            let metrics = try await gateway.send("GET", "/metrics", token: "").text
            let lines = Set(metrics.split(separator: "\n").map { String($0) })
            for line in [
                #"http_requests_total{method="POST",route="/api/exams",status="201"} 1"#,
                #"http_requests_total{method="GET",route="/api/exams/{exam}",status="200"} 3"#,
                #"http_requests_total{method="GET",route="/api/exams/{exam}",status="404"} 1"#,
                #"http_requests_total{method="GET",route="none",status="404"} 1"#,
                #"http_request_duration_seconds_bucket{method="GET",route="/api/exams/{exam}",le="+Inf"} 4"#,
                #"http_request_duration_seconds_count{method="GET",route="/api/exams/{exam}"} 4"#,
            ] {
                #expect(lines.contains(line), "\(line) in \(metrics)")
            }
            #expect(!metrics.contains(exam))
            #expect(metrics.contains("process_resident_memory_bytes"))
        }
    }

    @Test func `buckets hold all requests up to their bound`() {
        let metrics = HTTPMetrics()
        for seconds in [0.0005, 0.001, 0.03, 100] {
            metrics.record(method: .get, route: "/a", status: 200, seconds: seconds)
        }
        let counts = metrics.text.split(separator: "\n").filter { $0.contains("_bucket") }
            .compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
        #expect(counts == [2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 4])
    }

    @Test func `a gateway that is not at the event streams is not ready`() async throws {
        try await RunningGateway.run { gateway in
            gateway.hub.isFed = false
            let answer = try await gateway.send("GET", "/readyz", token: "")
            #expect(answer.status == 503)
            #expect(answer.text == "the event streams have not been reached\n")
            gateway.hub.isFed = true
            #expect(try await gateway.send("GET", "/readyz", token: "").status == 200)
        }
    }

    @Test func `not ready is said before a command would give up`() async throws {
        try await RunningGateway.run { gateway in
            #expect(try await gateway.send("GET", "/readyz", token: "").status == 200)
            gateway.redis.freeze()
            // A command waits 5 s for its reply; this one began first and is still waiting when readiness is answered.
            let client = gateway.context.client
            let answer = try await withThrowingTaskGroup(of: RunningGateway.Answer?.self) { tasks in
                tasks.addTask {
                    _ = try? await client.send(["PING"])
                    return nil
                }
                tasks.addTask { try await gateway.send("GET", "/readyz", token: "") }
                let first = try await tasks.next() ?? nil
                gateway.redis.thaw()
                return first
            }
            #expect(answer?.status == 503)
            #expect(answer?.text == "Redis does not answer\n")
        }
    }
}
