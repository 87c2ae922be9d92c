import Domain
import Logging
import Redis
import TestSupport
import Testing

@testable import ServiceKit

@Suite("The registry of services")
struct ServiceRegistryTests {
    static let server = Result { try RedisServer() }

    private let client: RedisClient
    private let keys = RedisKeys(prefix: "t\(UInt64.random(in: 0...(.max)))")
    private let registry: ServiceRegistry

    init() throws {
        client = try RedisClient(
            configuration: RedisConfiguration(url: Self.server.get().url),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        registry = ServiceRegistry(client: client, keys: keys)
    }

    private func status(_ name: String, _ replica: String, state: ServiceStatus.State = .ready) -> ServiceStatus {
        ServiceStatus(
            name: name, replica: replica, state: state, since: "2026-11-22T08:15:30.125Z", rssBytes: 1000,
            healthPort: 80, heartbeatMilliseconds: 2000)
    }

    /// Puts a replica's last report back in time.
    private func age(_ name: String, _ replica: String, seconds: Int) async throws {
        let beats = keys.global("{services}:beats")
        _ = try await client.send(["ZINCRBY", beats, -1000 * seconds, "\(name)/\(replica)"])
    }

    @Test("Replicas are listed by service and name, each once, as they last reported")
    func list() async throws {
        #expect(try await registry.list().isEmpty)
        try await registry.report(status("ocr-worker", "b", state: .starting))
        try await registry.report(status("ocr-worker", "a"))
        try await registry.report(status("gateway", "z"))
        try await registry.report(status("ocr-worker", "b"))
        let list = try await registry.list()
        #expect(list == [status("gateway", "z"), status("ocr-worker", "a"), status("ocr-worker", "b")])
    }

    @Test("Who has not reported for three intervals is silent, and ready again with the next report")
    func silent() async throws {
        try await registry.report(status("gateway", "a"))
        try await registry.report(status("gateway", "b"))
        try await age("gateway", "a", seconds: 9)
        #expect(try await registry.list().map(\.state) == [.silent, .ready])
        try await registry.report(status("gateway", "a"))
        #expect(try await registry.list().map(\.state) == [.ready, .ready])
    }

    @Test("Who has been silent for a minute is not listed, and forgotten with the next report of anybody")
    func forgotten() async throws {
        try await registry.report(status("gateway", "a"))
        try await age("gateway", "a", seconds: 62)
        #expect(try await registry.list().isEmpty)
        try await registry.report(status("gateway", "b"))
        #expect(try await client.send(["HLEN", keys.global("{services}:details")]).int == 1)
        #expect(try await client.send(["ZCARD", keys.global("{services}:beats")]).int == 1)
    }

    @Test("Who leaves in order is gone at once")
    func withdraw() async throws {
        try await registry.report(status("gateway", "a"))
        try await registry.report(status("gateway", "b"))
        try await registry.withdraw(name: "gateway", replica: "a")
        try await registry.withdraw(name: "gateway", replica: "never")
        #expect(try await registry.list().map(\.replica) == ["b"])
    }
}
