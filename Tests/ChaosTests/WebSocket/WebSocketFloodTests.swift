import ChaosWorkload
import Foundation
import Testing

/// Sockets by the thousand that never become anything, while others are served.
@Suite(.serialized, .timeLimit(.minutes(5))) struct WebSocketFloodTests {
    @Test func `half-open sockets beyond all limits are refused or cut off, and those who were there notice nothing`()
        async throws
    {
        let environment = ChaosEnvironment(seconds: 6)
        let (sockets, limit, clients) = environment.isLong ? (20_000, 10_000, 200) : (600, 300, 40)
        try await RealtimeChaosSystem.run(
            gateways: 1, settings: ["HTTP_MAX_CONNECTIONS": "\(limit)", "WEBSOCKET_MAX_CONNECTIONS": "\(limit - 50)"]
        ) { system in
            let gateway = system.gateways[0]
            let crowd = system.crowd(clients, seed: environment.seed)
            try await crowd.open()
            var before = Figures(gateway)
            var during = Figures(gateway)
            var report = RudeCrowd.Report()
            var gone = Duration.zero
            let (ledger, _) = try await system.underLoad(perSecond: 60, seed: environment.seed) { _ in
                try await eventually("events come", within: .seconds(20)) { await crowd.received > clients }
                _ = await crowd.map { $0.forgetDelays() }
                before = Figures(gateway)
                let start = ContinuousClock.now
                let rude = try RudeCrowd(sockets, "half-open", at: gateway, system: system)
                // A busy machine may cut them off, at the deadline of the handshake, as fast as it takes them.
                try await eventually("the limit is reached: \(rude.report)", within: .seconds(60)) {
                    let now = Figures(gateway)
                    if now.files > during.files { during = now }
                    return rude.report["refused"] > 0 || rude.report["ended"] > sockets / 2
                }
                try await rude.connected()
                // Some the kernel has let go without a word, when more came at once than wait for a gateway: they think
                // that they are connected.
                try await eventually("all are gone: \(rude.report), \(Figures(gateway))", within: .seconds(60)) {
                    gateway.openFiles <= before.files + 25
                }
                gone = start.duration(to: .now)
                report = rude.report
                rude.end()
                let newcomers = system.crowd(20, seed: 7)
                try await newcomers.open(within: .seconds(20))
                await newcomers.stop()
                // Memory is given back every 20 s.
                try await eventually(
                    "files and memory are given back: \(before) -> \(Figures(gateway))", within: .seconds(60)
                ) {
                    let now = Figures(gateway)
                    return now.files <= before.files + 25 && now.bytes <= before.bytes + 48 << 20
                }
            }
            let after = Figures(gateway)
            let verdict = await crowd.verdict(ledger, within: .seconds(30))
            let counts = await crowd.counts()
            await crowd.stop()
            print(
                """
                chaos websocket flood: sockets=\(sockets) limit=\(limit) \(report) all_gone_after=\(gone / .seconds(1)) \
                files=\(before.files)->\(during.files)->\(after.files) \
                memory_mib=\(before.bytes >> 20)->\(during.bytes >> 20)->\(after.bytes >> 20); those there before: \
                \(verdict) max_delay_ms=\(counts.maxDelay) closed=\(counts.closes)
                """)
            #expect(report["refused"] > 0 || during.files < limit)
            #expect(report["failed"] == 0)
            #expect(report["ended"] > sockets / 2)
            #expect(during.files <= limit + 200)
            #expect(verdict.isClean)
            #expect(verdict.expected > 0)
            #expect(counts.closes == [:])
            #expect(counts.miscounted == 0)
            #expect(counts.maxDelay < 10_000)
        }
    }
}

/// What a gateway takes.
struct Figures: CustomStringConvertible {
    let files: Int
    let bytes: Int

    init(_ gateway: GatewayProcess) {
        files = gateway.openFiles
        bytes = gateway.residentBytes
    }

    var description: String { "\(files) files, \(bytes >> 20) MiB" }
}
