import Access
import ChaosWorkload
import Domain
import EventBus
import Foundation
import Logging
import Redis
import TestSupport

/// A private Redis that keeps what it has acknowledged, real gateways on it, exams of a teacher, and a bus to publish on.
final class RealtimeChaosSystem: ChaosLifetime {
    static let admin = "root"
    static let teacher = "zhang"

    let server: RedisServer
    let gateways: [GatewayProcess]
    let bus: EventBus
    let exams: [String]
    /// By user.
    let tokens: [String: String]
    private let client: RedisClient

    /// - Parameters:
    ///   - settings: of the gateways.
    ///   - maxOpenFiles: of each gateway.
    init(
        gateways count: Int = 2, exams examCount: Int = 12, settings: [String: String] = [:], maxOpenFiles: Int? = nil
    ) async throws {
        let server = try RedisServer(arguments: ["--appendfsync", "always"])
        self.server = server
        let logger = Logger(label: "chaos", factory: { _ in SwiftLogNoOpLogHandler() })
        client = RedisClient(configuration: try RedisConfiguration(url: server.url), logger: logger)
        bus = EventBus(
            client: client, keys: RedisKeys(), configuration: EventBusConfiguration(), source: "/zhiyue/chaos")
        let secret = "a secret of the chaos tests: \(UInt64.random(in: 0...(.max)))"
        let authority = try await TokenAuthority(secret: TokenSecret(secret))
        tokens = [
            Self.admin: try await authority.token(for: UserID(Self.admin), role: .admin, lifetime: 3600),
            Self.teacher: try await authority.token(for: UserID(Self.teacher), role: .teacher, lifetime: 3600),
        ]
        gateways = try (0..<count).map { number in
            try GatewayProcess(
                server: server, name: "gateway-\(number)", secret: secret, settings: settings,
                maxOpenFiles: maxOpenFiles)
        }
        for gateway in gateways { try await gateway.start() }
        var exams: [String] = []
        for number in 0..<examCount {
            let answer = try await gateways[0].post(
                "/api/exams",
                json: """
                    {"title":"Exam \(number)","subject":"maths","student_id_digits":6,"questions":[
                    {"number":1,"type":"single_choice","options":4,"points":2,"answer":"B"}]}
                    """, token: tokens[Self.teacher] ?? "")
            guard answer.status == 201, let id = Self.id(answer.text) else { throw Overdue("no exam: \(answer.text)") }
            exams.append(id)
        }
        self.exams = exams
    }

    private static func id(_ json: String) -> String? {
        ((try? JSONSerialization.jsonObject(with: Data(json.utf8))) as? [String: Any])?["id"] as? String
    }

    var ports: [Int] { gateways.map(\.port) }

    func stop() async {
        for gateway in gateways { gateway.kill() }
        await client.close()
        server.stop()
    }

    static func run<Result>(
        gateways: Int = 2, exams: Int = 12, settings: [String: String] = [:], maxOpenFiles: Int? = nil,
        _ body: (RealtimeChaosSystem) async throws -> Result
    ) async throws -> Result {
        let system = try await RealtimeChaosSystem(
            gateways: gateways, exams: exams, settings: settings, maxOpenFiles: maxOpenFiles)
        return try await system.untilStopped(body)
    }

    func crowd(_ count: Int, seed: UInt64) -> ClientCrowd {
        ClientCrowd(count, ports: ports, tokens: tokens, exams: exams, seed: seed)
    }

    /// Publishes as long as `body` runs.
    ///
    /// - Returns: all that is in the streams afterwards.
    func underLoad(
        perSecond rate: Int, seed: UInt64, _ body: (EventLoad) async throws -> Void
    ) async throws -> (EventLedger, EventLoad) {
        let load = EventLoad(bus: bus, exams: exams, users: [Self.admin, Self.teacher], seed: seed)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await load.run(perSecond: rate) }
            defer { load.stop() }
            try await body(load)
        }
        return (try await EventLedger.read(bus), load)
    }

    /// Kills gateways in turn, each some time after the one before is back, and starts them again on their ports.
    ///
    /// - Returns: how many were killed.
    func killGateways(for duration: Duration, seed: UInt64) async throws -> Int {
        var random = SplitMix64(seed: seed)
        let end = ContinuousClock.now + duration
        var kills = 0
        while ContinuousClock.now < end {
            // The schedule of the faults.
            try await Task.sleep(for: .milliseconds(Int.random(in: 200...2000, using: &random)))
            let gateway = gateways[kills % gateways.count]
            gateway.kill()
            kills += 1
            try await Task.sleep(for: .milliseconds(Int.random(in: 100...1000, using: &random)))
            try await gateway.start()
        }
        return kills
    }
}
