package import EventBus
package import Logging
package import Redis
package import TaskQueue

/// Short times, so that a run of seconds sees many leases end.
package struct ChaosTiming: Codable, Sendable {
    package var leaseMilliseconds = 800
    /// Of a replica of the event bus. A worker of tasks beats four times a lease.
    package var heartbeatMilliseconds = 100
    package var commandTimeoutMilliseconds = 1500

    package init() {}

    /// For workers and producers of tasks.
    package static var tasks: ChaosTiming {
        var timing = ChaosTiming()
        timing.leaseMilliseconds = 1000
        return timing
    }

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

    package func queue(_ client: RedisClient) -> TaskQueue {
        var configuration = TaskQueueConfiguration()
        configuration.lease = lease
        configuration.reapInterval = .milliseconds(300)
        configuration.retryDelays = [.milliseconds(20), .milliseconds(50)]
        // An outage that a handler meets is an attempt that failed, and a worker that is killed is a stall of each of its
        // tasks: here both happen all the time, and no task may be given up for what it did not do.
        configuration.maxRetries = 1000
        configuration.maxStalls = 1000
        configuration.maxLength = 1000
        configuration.drainGrace = .milliseconds(200)
        return TaskQueue(client: client, keys: RedisKeys(), configuration: configuration)
    }
}
