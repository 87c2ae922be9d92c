internal import Domain
package import Redis

/// One replica of a service as it reported itself.
package struct ServiceStatus: Codable, Equatable, Sendable {
    package enum State: String, Codable, Sendable {
        case starting, ready, stopping
        /// No report for three intervals.
        case silent
    }

    package var name: String
    package var replica: String
    package var state: State
    /// When the replica started.
    package var since: String
    package var rssBytes: Int
    package var healthPort: Int?
    package var heartbeatMilliseconds: Int

    package init(
        name: String, replica: String, state: State, since: String, rssBytes: Int, healthPort: Int?,
        heartbeatMilliseconds: Int
    ) {
        self.name = name
        self.replica = replica
        self.state = state
        self.since = since
        self.rssBytes = rssBytes
        self.healthPort = healthPort
        self.heartbeatMilliseconds = heartbeatMilliseconds
    }

    enum CodingKeys: String, CodingKey {
        case name, replica, state, since
        case rssBytes = "rss_bytes"
        case healthPort = "health_port"
        case heartbeatMilliseconds = "heartbeat_milliseconds"
    }
}

/// Which replicas of which services live, in Redis.
package struct ServiceRegistry: Sendable {
    /// A replica that has been silent for so long is forgotten.
    package static let memory: Duration = .seconds(60)

    private let client: RedisClient
    private let beats: String
    private let details: String
    private static let beatScript = RedisScript(name: "service beat", source: PackageResources.service_beat_lua)

    package init(client: RedisClient, keys: RedisKeys) {
        self.client = client
        beats = keys.global("{services}:beats")
        details = keys.global("{services}:details")
    }

    package func report(_ status: ServiceStatus) async throws {
        _ = try await client.evaluate(
            Self.beatScript, keys: [beats, details],
            arguments: [
                "\(status.name)/\(status.replica)", try JSON.encode(status), Self.memory.components.seconds * 1000,
            ])
    }

    /// Takes the replica off the list, at the end of an orderly stop.
    package func withdraw(name: String, replica: String) async throws {
        _ = try await client.pipeline([
            ["ZREM", beats, "\(name)/\(replica)"], ["HDEL", details, "\(name)/\(replica)"],
        ])
    }

    /// All replicas that reported within the last minute, by service and replica.
    package func list() async throws -> [ServiceStatus] {
        let replies = try await client.pipeline([
            ["ZRANGE", beats, 0, -1, "WITHSCORES"], ["HGETALL", details], ["TIME"],
        ])
        guard replies.count == 3, let seconds = replies[2].array?.first?.int else { return [] }
        let now = seconds * 1000
        let reported = Dictionary(
            (replies[1].fields ?? []).map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        return (replies[0].fields ?? []).compactMap { entry -> ServiceStatus? in
            guard let bytes = reported[entry.name]?.bytes,
                var status = try? JSON.decode(ServiceStatus.self, from: bytes)
            else { return nil }
            let silence = now - Int(entry.value.double ?? 0)
            if silence > Int(Self.memory.components.seconds) * 1000 { return nil }
            if silence > 3 * status.heartbeatMilliseconds + 1000 { status.state = .silent }
            return status
        }.sorted { ($0.name, $0.replica) < ($1.name, $1.replica) }
    }
}
