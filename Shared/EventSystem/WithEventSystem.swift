internal import Domain
internal import EventBus
public import Logging
internal import Redis
internal import ServiceLifecycle
internal import TaskQueue

/// How an embedded system is set up. The defaults fit a system started with `zhiyue up` and a Redis on this machine.
public struct EventSystemConfiguration: Sendable {
    /// `redis://`, `rediss://` (TLS) or `unix://`, with user, password and database.
    public var redis: String
    /// Begins every key: programs with the same one share events and tasks.
    public var keyPrefix = "zhiyue"
    /// Programs with the same group share the handling of events; each group handles all of them.
    public var group = "embedded"
    /// Tells the programs of a group apart; unique among them.
    public var replica: String
    /// Event streams, fixed at the first start of a system.
    public var partitions = 8
    /// Tasks, and exams with events, that are handled at the same time; 1 or more.
    public var workers: Int
    /// How long handlers may finish what they do at the end.
    public var grace: Duration = .seconds(20)
    public var logger: Logger

    public init(redis: String = "redis://127.0.0.1:6379", workers: Int = 4) {
        self.redis = redis
        self.workers = workers
        replica = "embedded-\(UUIDv7.make().compactString)"
        logger = Logger(label: "zhiyue")
    }
}

/// Runs `body` with the event system at its side, in a few lines:
///
///     try await withEventSystem(workers: 4) { system in
///         try await system.publishExamCreated(title: "Physics", owner: "li", questions: 20, maxScore: 100)
///     }
///
/// Handlers run until `body` returns; then they finish what they do. What they had not begun is done by other programs
/// of the group, or by the next run.
///
/// - Throws: What `body` throws; `EventSystemError` when the system cannot be reached or a handler's name is wrong.
public func withEventSystem<Result: Sendable>(
    redis: String = "redis://127.0.0.1:6379", workers: Int, handlers: [SystemHandler] = [],
    _ body: @escaping @Sendable (EventSystem) async throws -> Result
) async throws -> Result {
    try await withEventSystem(
        EventSystemConfiguration(redis: redis, workers: workers), handlers: handlers, body)
}

/// As `withEventSystem(redis:workers:handlers:_:)`, with all options.
public func withEventSystem<Result: Sendable>(
    _ configuration: EventSystemConfiguration, handlers: [SystemHandler] = [],
    _ body: @escaping @Sendable (EventSystem) async throws -> Result
) async throws -> Result {
    guard configuration.workers >= 1 else { throw EventSystemError(.invalid, "at least one worker is needed") }
    let (system, services) = try EventSystem.build(configuration, handlers)
    do {
        try await translated { try await system.bus.prepare() }
        return try await EventSystem.run(system, services, configuration, body)
    } catch {
        await system.client.close()
        throw error
    }
}

extension EventSystem {
    fileprivate static func build(
        _ configuration: EventSystemConfiguration, _ handlers: [SystemHandler]
    ) throws -> (EventSystem, [any Service]) {
        let client: RedisClient
        do {
            client = RedisClient(
                configuration: try RedisConfiguration(url: configuration.redis), logger: configuration.logger)
        } catch {
            throw EventSystemError(error)
        }
        let keys = RedisKeys(prefix: configuration.keyPrefix)
        let source = "/zhiyue/\(configuration.group)"
        var busConfiguration = EventBusConfiguration()
        busConfiguration.partitions = configuration.partitions
        busConfiguration.maxConcurrentExams = configuration.workers
        let bus = EventBus(client: client, keys: keys, configuration: busConfiguration, source: source)
        var queueConfiguration = TaskQueueConfiguration()
        queueConfiguration.drainGrace = configuration.grace
        let queue = TaskQueue(client: client, keys: keys, configuration: queueConfiguration)

        var eventHandlers: [any EventHandler] = []
        var taskHandlers: [any TaskHandler] = []
        for handler in handlers {
            switch handler.kind {
            case .event(let handler): eventHandlers.append(handler)
            case .task(let handler): taskHandlers.append(handler)
            }
        }
        let types = taskHandlers.map { Self.type(of: $0) }
        guard Set(types).count == types.count, types.allSatisfy(\.isValid) else {
            throw EventSystemError(.invalid, "each type of task needs a valid name and at most one handler: \(types)")
        }
        var services: [any Service] = []
        var subscriber: EventSubscriber?
        if !eventHandlers.isEmpty {
            let started = EventSubscriber(
                bus: bus, group: configuration.group, replica: configuration.replica, handlers: eventHandlers,
                logger: configuration.logger)
            subscriber = started
            services.append(started)
        }
        if !taskHandlers.isEmpty {
            services.append(
                TaskWorker(
                    queue: queue, handlers: taskHandlers, maxWorkers: configuration.workers,
                    name: configuration.replica, logger: configuration.logger))
        }
        let known = TaskCatalog.all.map { $0.type }
        let system = EventSystem(
            client: client, bus: bus, queue: queue, taskTypes: known + types.filter { !known.contains($0) },
            subscriber: subscriber, source: source)
        return (system, services)
    }

    private static func type<Handler: TaskHandler>(of handler: Handler) -> TaskType { Handler.Payload.type }

    fileprivate static func run<Result: Sendable>(
        _ system: EventSystem, _ services: [any Service], _ configuration: EventSystemConfiguration,
        _ body: @escaping @Sendable (EventSystem) async throws -> Result
    ) async throws -> Result {
        var options = ServiceGroupConfiguration(
            services: [system.client] + services, logger: configuration.logger)
        options.maximumGracefulShutdownDuration = configuration.grace + .seconds(5)
        let group = ServiceGroup(configuration: options)
        return try await withThrowingTaskGroup(of: Swift.Result<Result, any Error>?.self) { tasks in
            tasks.addTask {
                try await translated { try await group.run() }
                return nil
            }
            tasks.addTask {
                do {
                    return .success(try await body(system))
                } catch {
                    return .failure(error)
                }
            }
            var result: Swift.Result<Result, any Error>?
            // The services end before the body only by an error, which ends the body too.
            while let ended = try await tasks.next() {
                guard let ended else { break }
                result = ended
                await group.triggerGracefulShutdown()
            }
            guard let result else { throw EventSystemError(.unavailable, "the event system has ended") }
            return try result.get()
        }
    }
}
