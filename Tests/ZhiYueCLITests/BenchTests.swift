import Foundation
import TestSupport
import Testing

@testable import ZhiYueCLI

/// Every bench with little to do: that it runs and loses nothing. What it measures then says nothing.
@Suite("Benches", .serialized)
struct BenchTests {
    @Test("The bench of WebSockets counts every message of a small crowd")
    func webSocket() async throws {
        let figures = try await bench([
            "websocket", "--connections", "60", "--subscribers", "40", "--many", "50", "--rate", "50", "--seconds", "1",
            "--parts", "latency", "fan-out", "many", "storm",
        ])
        #expect(figures["subscribers"] as? Int == 40)
        #expect((figures["delivered_per_second"] as? Int ?? 0) > 0)
        let many = try #require(figures["many"] as? [String: Any])
        #expect(many["lost"] as? Int == 0)
        let storm = try #require(figures["storm"] as? [String: Any])
        #expect(storm["missed"] as? Int == 800)
        #expect(storm["lost"] as? Int == 0)
        #expect(storm["doubled"] as? Int == 0)
        #expect(storm["not_recovered"] as? Int == 0)
    }

    @Test("The bench of tasks completes each one once")
    func tasks() async throws {
        let figures = try await bench(["tasks", "--tasks", "1000", "--rounds", "1", "--parts", "submit", "complete"])
        #expect((figures["completed_per_second"] as? Int ?? 0) > 0)
        #expect(figures["lost"] as? Int == 0)
        #expect(figures["duplicated"] as? Int == 0)
    }

    @Test("The bench of events delivers what it publishes")
    func events() async throws {
        let figures = try await bench([
            "events", "--events", "1000", "--rounds", "1", "--seconds", "0.2", "--parts", "publish", "deliver",
        ])
        #expect((figures["publish_per_second"] as? Int ?? 0) > 0)
        #expect((figures["delivered_per_second"] as? Int ?? 0) > 0)
    }

    @Test("What a bench is compared with is named when it is not installed")
    func missingPeer() async throws {
        let run = try await CommandRun.zhiyue(
            ["bench", "websocket", "--parts", "peer", "--packages", "/nowhere", "--json"])
        #expect(run.status == 1)
        #expect(run.errors.contains("deps.sh --bench"))
    }

    @Test("What wrk prints is understood, also when requests fail")
    func wrk() throws {
        let text = """
            Running 2s test @ http://127.0.0.1:1/
              1 threads and 64 connections
              Thread Stats   Avg      Stdev     Max   +/- Stdev
                Latency     1.31ms  432.10us   9.13ms   76.11%
                Req/Sec    48.55k     2.30k   52.00k    70.00%
              Latency Distribution
                 50%    1.20ms
                 75%    1.50ms
                 90%    1.90ms
                 99%  860.50us
              97110 requests in 2.00s, 12.41MB read
              Socket errors: connect 1, read 2, write 3, timeout 4
              Non-2xx or 3xx responses: 5
            Requests/sec:  48555.94
            Transfer/sec:      6.20MB
            """
        let round = try WrkReport.round(text)
        #expect(round.requestsPerSecond == 48555.94)
        #expect(round.p50 == 1.2)
        #expect(round.p99 == 0.86)
        #expect(round.failed == 15)
        #expect(throws: CommandFailure.self) { try WrkReport.round("unable to connect to 127.0.0.1:1") }
    }

    private func bench(_ arguments: [String]) async throws -> [String: Any] {
        let run = try await CommandRun.zhiyue(["bench"] + arguments + ["--json"])
        #expect(run.status == 0, "\(run.errors)")
        return try #require(run.objects.last, "\(run.errors)")
    }
}
