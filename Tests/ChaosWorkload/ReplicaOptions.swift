internal import Domain
package import EventBus
package import Logging
package import Redis

/// How a replica in a process of its own is started: its only argument, as JSON.
package struct ReplicaOptions: Codable, Sendable {
    package var redis: String
    package var group: String
    package var name: String
    package var timing: ChaosTiming
    /// What the replica writes when it has started: its wall clock, in milliseconds since 1970.
    package var reportFile: String

    package init(redis: String, group: String, name: String, timing: ChaosTiming, reportFile: String) {
        self.redis = redis
        self.group = group
        self.name = name
        self.timing = timing
        self.reportFile = reportFile
    }

    package init(json: String) throws {
        self = try JSON.decode(Self.self, from: Array(json.utf8))
    }

    package var json: String {
        get throws { String(decoding: try JSON.encode(self), as: UTF8.self) }
    }
}

/// Short times, so that a run of seconds sees many leases end.
package struct ChaosTiming: Codable, Sendable {
    package var leaseMilliseconds = 800
    package var heartbeatMilliseconds = 100
    package var commandTimeoutMilliseconds = 1500

    package init() {}

    package var lease: Duration { .milliseconds(leaseMilliseconds) }
    package var commandTimeout: Duration { .milliseconds(commandTimeoutMilliseconds) }

    package func client(_ url: String, logger: Logger) throws -> RedisClient {
        var configuration = try RedisConfiguration(url: url)
        configuration.commandTimeout = commandTimeout
        configuration.connectTimeout = .milliseconds(500)
        configuration.reconnect = ReconnectBackoff(base: .milliseconds(20), cap: .milliseconds(200))
        return RedisClient(configuration: configuration, logger: logger)
    }

    package func bus(_ client: RedisClient, source: String) -> EventBus {
        var configuration = EventBusConfiguration()
        configuration.leaseDuration = lease
        configuration.heartbeat = .milliseconds(heartbeatMilliseconds)
        configuration.retryDelays = [.milliseconds(10), .milliseconds(50)]
        configuration.blockDuration = .seconds(2)
        configuration.batchSize = 32
        return EventBus(client: client, keys: RedisKeys(), configuration: configuration, source: source)
    }
}
