import Domain
import EventBus
import Logging
import Redis
import ServiceLifecycle
import Synchronization
import TestSupport

/// A private Redis, a client and a bus.
struct BusFixture {
    let server: RedisServer
    let client: RedisClient
    let bus: EventBus

    static let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

    /// Short leases, so that tests of crashes are quick.
    static func quick(_ change: (inout EventBusConfiguration) -> Void = { _ in }) -> EventBusConfiguration {
        var configuration = EventBusConfiguration()
        configuration.heartbeat = .milliseconds(100)
        configuration.leaseDuration = .milliseconds(800)
        configuration.retryDelays = [.milliseconds(5), .milliseconds(10)]
        change(&configuration)
        return configuration
    }

    static func run<Result>(
        _ configuration: EventBusConfiguration = quick(), _ body: (BusFixture) async throws -> Result
    ) async throws -> Result {
        let server = try RedisServer()
        defer { server.stop() }
        let client = RedisClient(configuration: try RedisConfiguration(url: server.url), logger: logger)
        let bus = EventBus(client: client, keys: RedisKeys(), configuration: configuration, source: "/zhiyue/test")
        do {
            try await bus.prepare()
            let result = try await body(BusFixture(server: server, client: client, bus: bus))
            await client.close()
            return result
        } catch {
            await client.close()
            throw error
        }
    }

    /// A replica with a client of its own, as another process would have.
    func start(
        _ name: String, group: String = "graders", startingAt start: GroupStart = .beginning,
        _ handlers: [any EventHandler]
    ) throws -> Replica {
        let client = RedisClient(
            configuration: try RedisConfiguration(url: server.url), logger: Self.logger)
        let bus = EventBus(
            client: client, keys: bus.keys, configuration: bus.configuration, source: "/zhiyue/\(name)")
        return Replica(
            EventSubscriber(
                bus: bus, group: group, replica: name, handlers: handlers, start: start, logger: Self.logger),
            client: client)
    }

    /// Which replica owns each partition, as `zhiyue status` shows it.
    func owners(of group: String = "graders") async throws -> [String?] {
        try await bus.statistics().map { partition in partition.groups.first { $0.group == group }?.owner }
    }

    func lag(of group: String = "graders") async throws -> Int {
        try await bus.statistics().reduce(0) { sum, partition in
            sum + (partition.groups.first { $0.group == group }?.lag ?? 0)
        }
    }
}

/// A service that runs on a client of its own, as in another process.
final class Running<Subject: Service>: Sendable {
    let subject: Subject
    private let client: RedisClient
    private let services: ServiceGroup
    private let task: Task<Void, any Error>

    init(_ subject: Subject, client: RedisClient) {
        self.subject = subject
        self.client = client
        let services = ServiceGroup(
            configuration: .init(services: [.init(service: subject)], logger: BusFixture.logger))
        self.services = services
        task = Task { try await services.run() }
    }

    /// Stops where it is and gives nothing back.
    func crash() async {
        task.cancel()
        _ = try? await task.value
        await client.close()
    }

    func leave() async throws {
        await services.triggerGracefulShutdown()
        try await task.value
        await client.close()
    }
}

typealias Replica = Running<EventSubscriber>

extension Running<EventSubscriber> {
    var subscriber: EventSubscriber { subject }
}

/// Looks until `condition` holds; the time limit of the test bounds it.
func until(_ condition: () async throws -> Bool) async throws {
    while try await !condition() {
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// An event of `exam` that carries a number.
func event(
    _ number: Int, exam: ExamID? = "exam-1", type: EventType = "grading.started", correlation: CorrelationID = "c1"
) -> EventEnvelope {
    let time = Timestamp.now
    return EventEnvelope(
        id: UUIDv7.make(at: time).string, source: "/zhiyue/test", type: type, subject: "subject-\(number)", time: time,
        schemaVersion: 1, correlationID: correlation, examID: exam, data: Array("\(number)".utf8))
}

extension StoredEvent {
    var number: Int { Int(String(decoding: event.data, as: UTF8.self)) ?? -1 }
}

/// Remembers what it saw, in order, and fails when told to.
final class Recorder: EventHandler {
    struct Seen: Sendable {
        let stored: StoredEvent
        let context: HandlingContext
    }

    let name: String
    let eventTypes: Set<EventType>
    private let seen = Mutex<[Seen]>([])
    private let reaction: @Sendable (StoredEvent, HandlingContext) async throws -> Void

    init(
        name: String = "recorder", types: Set<EventType> = [],
        reaction: @escaping @Sendable (StoredEvent, HandlingContext) async throws -> Void = { _, _ in }
    ) {
        self.name = name
        eventTypes = types
        self.reaction = reaction
    }

    func handle(_ event: StoredEvent, context: HandlingContext) async throws {
        seen.withLock { $0.append(Seen(stored: event, context: context)) }
        try await reaction(event, context)
    }

    var all: [Seen] { seen.withLock { $0 } }
    var numbers: [Int] { all.map(\.stored.number) }

    func numbers(of exam: ExamID) -> [Int] {
        all.filter { $0.stored.event.examID == exam }.map(\.stored.number)
    }
}

struct Failure: Error {}

/// Lets tests hold a handler until they have seen enough.
final class Gate: Sendable {
    private let isOpen = Mutex(false)

    var isPassed: Bool { isOpen.withLock { $0 } }

    func open() { isOpen.withLock { $0 = true } }

    func pass() async throws {
        try await until { isOpen.withLock { $0 } }
    }
}

/// Appends the event's number to its exam's list, once per event.
struct EffectHandler: EventHandler {
    let client: RedisClient
    let keys: RedisKeys
    let name = "effect"
    let eventTypes: Set<EventType> = []

    private static let script = RedisScript(
        name: "append_number",
        source: EffectGuard.prelude
            + Array(
                """
                local refused = effect_guard.check()
                if refused then return refused end
                redis.call('RPUSH', KEYS[3], ARGV[4])
                effect_guard.record()
                return 'OK'
                """.utf8))

    func handle(_ event: StoredEvent, context: HandlingContext) async throws {
        _ = try await apply(event, guarding: context.effectGuard)
    }

    func apply(_ event: StoredEvent, guarding: EffectGuard) async throws -> Bool {
        let reply = try await client.evaluate(
            Self.script, keys: guarding.keys + [list(event.event.examID ?? "", event.partition)],
            arguments: guarding.arguments + [event.number])
        return try guarding.wasApplied(reply)
    }

    func list(_ exam: ExamID, _ partition: Int) -> String { keys.record(partition, "exam:\(exam):numbers") }
}
