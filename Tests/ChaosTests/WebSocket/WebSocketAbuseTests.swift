import ChaosWorkload
import Foundation
import Testing

/// Clients that are slow, silent or deaf, by the hundred, while others are served.
@Suite(.serialized, .timeLimit(.minutes(5))) struct WebSocketAbuseTests {
    /// A kind of misbehaviour, and when the last such socket must be gone, in seconds.
    struct Abuse: CustomStringConvertible, Sendable {
        let kind: String
        let deadline: Int
        var description: String { kind }
    }

    /// Ten seconds for a handshake, two for an answer to a close frame, and for who is deaf, `MAX_MESSAGE_QUEUE_SIZE`
    /// or 30 s; and what a busy machine adds.
    static let abuses = [
        Abuse(kind: "dripping", deadline: 10), Abuse(kind: "endless", deadline: 10),
        Abuse(kind: "half-closed", deadline: 10), Abuse(kind: "half-closed-websocket", deadline: 10),
        Abuse(kind: "unanswering", deadline: 2), Abuse(kind: "deaf", deadline: 32),
    ]

    @Test func `clients that are slow, silent or deaf are gone by their deadlines, and the others notice nothing`()
        async throws
    {
        let environment = ChaosEnvironment(seconds: 6)
        let (each, clients) = environment.isLong ? (400, 200) : (60, 40)
        try await RealtimeChaosSystem.run(gateways: 1, settings: ["MAX_MESSAGE_QUEUE_SIZE": "500"]) { system in
            let gateway = system.gateways[0]
            let crowd = system.crowd(clients, seed: environment.seed)
            try await crowd.open()
            let before = Figures(gateway)
            var most = 0
            var lines: [String] = []
            let (ledger, _) = try await system.underLoad(perSecond: 120, seed: environment.seed) { _ in
                try await eventually("events come", within: .seconds(20)) { await crowd.received > clients }
                _ = await crowd.map { $0.forgetDelays() }
                let opened = try await gateway.metric("websocket_opened_total")
                let start = ContinuousClock.now
                let rude = try Self.abuses.enumerated().map { number, abuse in
                    try RudeCrowd(each, abuse.kind, at: gateway, system: system, number: number)
                }
                for crowd in rude { try await crowd.connected() }
                try await eventually("the deaf and the unanswering are WebSockets", within: .seconds(30)) {
                    try await gateway.metric("websocket_opened_total") >= opened + 2 * each
                }
                for (abuse, crowd) in zip(Self.abuses, rude) where abuse.kind != "deaf" {
                    try await eventually("\(abuse) are gone: \(crowd.report)", within: .seconds(60)) {
                        most = max(most, gateway.residentBytes)
                        return crowd.report["open"] == 0
                    }
                    lines.append("\(abuse)=\(Int(start.duration(to: .now) / .seconds(1)))s")
                }
                // A deaf client does not learn that it was cut off.
                try await eventually("the deaf are gone", within: .seconds(120)) {
                    most = max(most, gateway.residentBytes)
                    return try await gateway.metric("websocket_connections") <= clients
                }
                lines.append("deaf=\(Int(start.duration(to: .now) / .seconds(1)))s")
                for crowd in rude { crowd.end() }
                try await eventually("files are given back: \(before) -> \(Figures(gateway))", within: .seconds(60)) {
                    gateway.openFiles <= before.files + 25
                }
            }
            let verdict = await crowd.verdict(ledger, within: .seconds(30))
            let counts = await crowd.counts()
            let after = Figures(gateway)
            await crowd.stop()
            print(
                """
                chaos websocket abuse: each=\(each) gone: \(lines.joined(separator: " ")); \(before) -> \(most >> 20) MiB \
                -> \(after); the others: \(verdict) max_delay_ms=\(counts.maxDelay) closed=\(counts.closes)
                """)
            #expect(verdict.isClean)
            #expect(verdict.expected > 0)
            #expect(counts.closes == [:])
            #expect(counts.miscounted == 0)
            #expect(counts.maxDelay < 10_000)
            #expect(most < before.bytes + (environment.isLong ? 256 : 96) << 20)
        }
    }
}
