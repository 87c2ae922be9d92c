import ChaosWorkload
import Foundation
import TestSupport
import Testing

/// A gateway that may have few open files.
@Suite(.serialized, .timeLimit(.minutes(5))) struct WebSocketFilesTests {
    @Test func `a gateway with few files refuses sockets before it has none left, and lives on`() async throws {
        // Without a descriptor left the runtime under Swift's tasks would end the process.
        let files = 300
        try await RealtimeChaosSystem.run(gateways: 1, maxOpenFiles: files) { system in
            let gateway = system.gateways[0]
            let crowd = system.crowd(40, seed: 3)
            try await crowd.open()
            var most = 0
            var processor = 0.0
            var report = RudeCrowd.Report()
            let (ledger, _) = try await system.underLoad(perSecond: 40, seed: 4) { _ in
                let start = (gateway.processorSeconds, ContinuousClock.now)
                let rude = try RudeCrowd(2000, "half-open", at: gateway, system: system)
                try await eventually("all are gone: \(rude.report)", within: .seconds(90)) {
                    most = max(most, gateway.openFiles)
                    return rude.report["ended"] + rude.report["failed"] == rude.count
                }
                report = rude.report
                processor = (gateway.processorSeconds - start.0) / (start.1.duration(to: .now) / .seconds(1))
                rude.end()
                let newcomers = system.crowd(10, seed: 5)
                try await newcomers.open(within: .seconds(20))
                await newcomers.stop()
            }
            let verdict = await crowd.verdict(ledger, within: .seconds(30))
            let counts = await crowd.counts()
            await crowd.stop()
            print(
                """
                chaos websocket files: limit=\(files) most=\(most) processors=\(processor) \(report); those there \
                before: \(verdict) closed=\(counts.closes)
                """)
            #expect(gateway.exitStatus == nil)
            #expect(most < files)
            #expect(report["refused"] > 0)
            #expect(verdict.isClean)
            #expect(counts.closes == [:])
        }
    }

    @Test func `a gateway that is to take more sockets than it may have files does not start and says why`()
        async throws
    {
        let server = try RedisServer()
        defer { server.stop() }
        let gateway = try GatewayProcess(
            server: server, name: "greedy", secret: "a secret of the chaos tests, 32 bytes",
            settings: ["HTTP_MAX_CONNECTIONS": "10000"], maxOpenFiles: 300)
        await #expect(throws: Overdue.self) { try await gateway.start() }
        #expect(gateway.exitStatus == 1)
        #expect(gateway.log.contains("HTTP_MAX_CONNECTIONS"), "\(gateway.log)")
    }
}
