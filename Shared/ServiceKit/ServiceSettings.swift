package import EventBus
package import Logging
package import Redis
package import TaskQueue

#if canImport(Glibc)
    internal import Glibc
#endif

/// What every service reads from its environment. The README lists the names.
package struct ServiceSettings: Sendable {
    package var redis: RedisConfiguration
    package var keys: RedisKeys
    package var bus: EventBusConfiguration
    package var queue: TaskQueueConfiguration
    /// Where blobs, reports and secrets are.
    package var dataDirectory: String
    /// This process among all of its service, unique on all hosts.
    package var replica: String
    /// Consumer group of the service's event subscriber; the service's name when nil.
    package var consumerGroup: String?
    /// Tasks a worker runs at a time; the number of cores when unset.
    package var maxWorkers: Int
    /// How often a replica reports that it lives.
    package var heartbeatInterval: Duration
    package var healthHost: String
    /// 0 takes any free port.
    package var healthPort: Int
    /// How long a stopping service may finish its work.
    package var shutdownGrace: Duration
    package var logLevel: Logger.Level

    /// - Throws: `SettingsError` naming the setting and what is expected.
    package init(reader: SettingsReader) throws {
        let url = reader.text("REDIS_URL", isSecret: true) ?? "redis://127.0.0.1:6379"
        do {
            redis = try RedisConfiguration(url: url)
        } catch {
            throw SettingsError(name: "REDIS_URL", problem: "cannot be used: \(error)")
        }
        keys = RedisKeys(
            prefix: reader.text("REDIS_KEY_PREFIX") ?? "zhiyue", streamPrefix: reader.text("REDIS_STREAM_PREFIX"))
        maxWorkers = try reader.integer(
            "MAX_WORKERS", in: 1...1024, default: Int(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
        let maxRetries = try reader.integer("MAX_RETRIES", in: 0...100, default: 3)
        let delays: [Duration] = [.seconds(1), .seconds(2), .seconds(5), .seconds(10), .seconds(30)]
        let retryDelays = try reader.secondsList("RETRY_DELAY", in: 0...3600, default: delays)

        bus = EventBusConfiguration()
        bus.partitions = try reader.integer("EVENT_PARTITIONS", in: 1...1024, default: bus.partitions)
        bus.compressAbove = try reader.integer("EVENT_COMPRESS_BYTES", in: 0...(1 << 20), default: bus.compressAbove)
        let day: Double = 86_400
        bus.retention = try reader.seconds("EVENT_RETENTION", in: 0...(3650 * day), default: bus.retention)
        bus.groupLifetime = try reader.seconds("EVENT_GROUP_TTL", in: 60...(3650 * day), default: bus.groupLifetime)
        bus.maxRetries = maxRetries
        bus.retryDelays = retryDelays
        queue = TaskQueueConfiguration()
        queue.maxRetries = maxRetries
        queue.retryDelays = retryDelays
        queue.taskTimeout = try reader.seconds("TASK_TIMEOUT", in: 0.1...86_400, default: queue.taskTimeout)
        queue.resultTTL = try reader.seconds("RESULT_TTL", in: 1...31_536_000, default: queue.resultTTL)
        queue.maxLength = try reader.integer("MAX_QUEUE_LENGTH", in: 1...100_000_000, default: queue.maxLength)

        dataDirectory = reader.text("DATA_DIR") ?? ".data"
        replica = reader.text("SERVICE_REPLICA") ?? "\(Self.hostName)-\(getpid())"
        consumerGroup = reader.text("REDIS_CONSUMER_GROUP")
        heartbeatInterval = try reader.seconds("HEARTBEAT_INTERVAL", in: 0.1...60, default: .seconds(2))
        healthHost = reader.text("HEALTH_HOST") ?? "127.0.0.1"
        healthPort = try reader.integer("HEALTH_PORT", in: 0...65_535, default: 0)
        shutdownGrace = try reader.seconds("SHUTDOWN_GRACE", in: 0...600, default: .seconds(20))
        logLevel = try reader.choice("LOG_LEVEL", default: .info)
    }

    private static var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "host" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
