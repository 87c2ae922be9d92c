package import BlobStore
internal import CProcess
internal import Domain
package import EventBus
package import ExamStore
internal import Hummingbird
package import Logging
package import NIOCore
internal import NIOPosix
package import Redis
package import ServiceLifecycle
internal import Synchronization
package import TaskQueue
internal import UnixSignals

#if canImport(Glibc)
    internal import Glibc
#endif

/// What a service is built from.
package struct ServiceContext: Sendable {
    /// `gateway`, `ocr-worker` …
    package let name: String
    package let settings: ServiceSettings
    package let reader: SettingsReader
    package let logger: Logger
    package let client: RedisClient
    package let bus: EventBus
    package let queue: TaskQueue
    package let store: ExamStore
    package let blobs: BlobStore
    package let health: ServiceHealth
    package let registry: ServiceRegistry

    /// The origin of this service's events.
    package var source: String { "/zhiyue/\(name)" }
    /// The name of the service's group on the event streams.
    package var group: String { settings.consumerGroup ?? name }
    /// The health port to report: the gateway's is that of its own server.
    package let healthPort: HealthPort
}

/// The port health answers on, known once the server listens.
package final class HealthPort: Sendable {
    private let port = Mutex<Int?>(nil)

    package init() {}

    package var value: Int? {
        get { port.withLock { $0 } }
        set { port.withLock { $0 = newValue } }
    }
}

/// The life of a service process: read settings, connect, build, run until a signal, stop in order.
package enum ServiceProcess {
    /// Runs a service and ends the process: status 0 after an orderly stop, 1 with a line on standard error otherwise.
    ///
    /// - Parameters:
    ///   - redisEventLoops: of the connections to Redis: none of those of a server that may be busy with its clients.
    ///   - ownsHealthRoutes: true when the service serves `/healthz` and the like itself.
    ///   - build: makes what runs, in the order of dependence; stopped in reverse.
    package static func run(
        _ name: String, ownsHealthRoutes: Bool = false,
        redisEventLoops: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        build: @Sendable (ServiceContext) async throws -> [any Service]
    ) async -> Never {
        do {
            process_bound_memory()
            signal(SIGPIPE, SIG_IGN)
            let reader = try await SettingsReader.environment()
            let settings = try ServiceSettings(reader: reader)
            LoggingSystem.bootstrap { [settings] _ in
                JSONLogHandler(service: name, replica: settings.replica, logLevel: settings.logLevel)
            }
            try await serve(
                name, ownsHealthRoutes: ownsHealthRoutes, redisEventLoops: redisEventLoops, settings: settings,
                reader: reader, build: build)
            exit(0)
        } catch {
            Self.complain("\(name): \(error)\n")
            exit(1)
        }
    }

    private static func complain(_ line: String) {
        let bytes = Array(line.utf8)
        // There is nobody left to tell when this fails.
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }

    private static func serve(
        _ name: String, ownsHealthRoutes: Bool, redisEventLoops: any EventLoopGroup, settings: ServiceSettings,
        reader: SettingsReader,
        build: @Sendable (ServiceContext) async throws -> [any Service]
    ) async throws {
        let logger = Logger(label: name)
        let client = RedisClient(
            configuration: settings.redis, logger: logger, eventLoopGroup: redisEventLoops)
        let bus = EventBus(
            client: client, keys: settings.keys, configuration: settings.bus, source: "/zhiyue/\(name)")
        let context = ServiceContext(
            name: name, settings: settings, reader: reader, logger: logger, client: client, bus: bus,
            queue: TaskQueue(client: client, keys: settings.keys, configuration: settings.queue),
            store: ExamStore(client: client, keys: settings.keys, partitions: settings.bus.partitions),
            blobs: try BlobStore(directory: settings.dataDirectory),
            health: ServiceHealth(service: name, client: client),
            registry: ServiceRegistry(client: client, keys: settings.keys), healthPort: HealthPort())

        try await prepare(bus, logger: logger)
        var services: [any Service] = [client]
        if !ownsHealthRoutes { services.append(HealthServer(context: context)) }
        services += try await build(context)
        services.append(HeartbeatService(context: context))
        services.append(
            PeriodicWork("return memory", every: .seconds(20), logger: logger) { process_return_memory() })
        var configuration = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        configuration.maximumGracefulShutdownDuration = settings.shutdownGrace + .seconds(5)
        try await ServiceGroup(configuration: configuration).run()
    }

    /// Waits for Redis up to a minute; a refusal that waiting does not cure ends the start at once.
    private static func prepare(_ bus: EventBus, logger: Logger) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        var delay: Duration = .milliseconds(50)
        while true {
            do {
                return try await bus.prepare()
            } catch let error as RedisError where error.isWorthWaiting && ContinuousClock.now < deadline {
                logger.warning("waiting for Redis", metadata: [LogKey.error: "\(error)"])
                try await Task.sleep(for: delay)
                delay = min(delay * 2, .seconds(2))
            }
        }
    }
}

extension RedisError {
    /// True while Redis may simply not be up yet.
    fileprivate var isWorthWaiting: Bool {
        switch code {
        case .notSent, .timedOut, .outcomeUnknown: true
        case .refused: isTemporaryRefusal
        case .invalidConfiguration: false
        }
    }
}
