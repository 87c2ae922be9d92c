package import Domain
package import Logging
import Redis
internal import ServiceLifecycle
import Synchronization

/// Publishes through outages: events wait in a bounded buffer while Redis is slow or away, and one whose reply was lost
/// is appended once.
///
/// All events go over one connection, in the order of the calls, so those of an exam keep the order in which they were
/// given. When that connection is lost, whether its last events were appended is not known. Then, over a new one, Redis
/// is told to close the old one, after which nothing of it can still be executed; the streams are searched for the
/// events' ids behind the last position known; what is there is answered, the rest is sent again before anything else.
/// That costs nothing as long as nothing is lost, and needs no record of every event in Redis. It does not outlive the
/// process: a caller that may repeat itself after a crash passes a deduplication key.
///
/// `run()` must be running. At graceful shutdown what waits is still sent.
package final class EventPublisher: Service {
    private let bus: EventBus
    private let configuration: EventPublisherConfiguration
    private let logger: Logger
    private let buffer: Mutex<PublishBuffer>
    private let bell = Doorbell()
    private let isStopping = Atomic(false)
    private let name: String

    package init(
        bus: EventBus, configuration: EventPublisherConfiguration = EventPublisherConfiguration(), logger: Logger
    ) {
        self.bus = bus
        self.configuration = configuration
        self.logger = logger
        buffer = Mutex(PublishBuffer(configuration))
        name = PartitionToken.member(of: "\(bus.keys.prefix):publisher:\(UUIDv7.make().compactString)")
    }

    package var statistics: EventPublisherStatistics { buffer.withLock { $0.statistics } }

    /// Appends `event` and returns when Redis has it.
    ///
    /// - Parameter deduplicationKey: As for `EventBus.publish(_:deduplicationKey:)`.
    /// - Throws: `EventBusError` of code `.bufferFull` or `.notPublished`, or `CancellationError`: it was not appended.
    ///   `RedisError` of code `.refused`: Redis will not have it, as when its memory is full. `RedisError` of code
    ///   `.outcomeUnknown`: the publisher was stopped, or Redis did not come back in time, before the reply.
    @discardableResult
    package func publish(_ event: EventEnvelope, deduplicationKey: String? = nil) async throws -> StreamPosition {
        let command = try bus.append(event, deduplicationKey: deduplicationKey)
        return try await publish([(event, command)])[0]
    }

    /// Appends `events` in their order. After an error some may have been appended.
    @discardableResult
    package func publish(_ events: [EventEnvelope]) async throws -> [StreamPosition] {
        guard !events.isEmpty else { return [] }
        return try await publish(events.map { ($0, try bus.append($0)) })
    }

    private func publish(_ events: [(EventEnvelope, RedisCommand)]) async throws -> [StreamPosition] {
        let sizes = events.map { $0.0.data.count + 512 }
        let deadline = ContinuousClock.now + configuration.timeout
        try await reserve(events: events.count, bytes: sizes.reduce(0, +), until: deadline)
        let items = buffer.withLock { buffer in
            let items = zip(events, sizes).map { event, size in
                PublishBuffer.Item(
                    ticket: buffer.ticket(), eventID: event.0.id, partition: bus.partition(of: event.0),
                    command: event.1, bytes: size, deadline: deadline, result: PublishResult())
            }
            buffer.append(items)
            return items
        }
        bell.ring()
        return try await withTaskCancellationHandler {
            var positions: [StreamPosition] = []
            positions.reserveCapacity(items.count)
            for item in items { positions.append(try await item.result.value()) }
            return positions
        } onCancel: {
            buffer.withLock { $0.withdraw(Set(items.map(\.ticket))) }
        }
    }

    private func reserve(events: Int, bytes: Int, until deadline: ContinuousClock.Instant) async throws {
        let (hasRoom, isClosed) = buffer.withLock { ($0.reserve(events: events, bytes: bytes), $0.isClosed) }
        if hasRoom { return }
        if isClosed { throw PublishBuffer.closed }
        guard configuration.whenFull == .wait else { throw PublishBuffer.full }
        let ticket = buffer.withLock { $0.ticket() }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let refusal: (any Error)? = buffer.withLock { buffer in
                    if buffer.isClosed { return PublishBuffer.closed }
                    if Task.isCancelled { return CancellationError() }
                    buffer.wait(ticket, events: events, bytes: bytes, deadline: deadline, continuation)
                    return nil
                }
                if let refusal { continuation.resume(throwing: refusal) }
            }
        } onCancel: {
            buffer.withLock { $0.withdraw([ticket]) }
        }
    }

    package func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { tasks in
                tasks.addTask {
                    while !Task.isCancelled {
                        try? await Task.sleep(for: .milliseconds(250))
                        self.buffer.withLock { $0.expire(.now) }
                    }
                }
                await self.send()
                tasks.cancelAll()
            }
        } onGracefulShutdown: {
            self.isStopping.store(true, ordering: .relaxed)
            self.bell.ring()
        }
        buffer.withLock { $0.close() }
    }

    // MARK: Sending

    private var isDone: Bool {
        Task.isCancelled || (isStopping.load(ordering: .relaxed) && buffer.withLock { $0.isSettled })
    }

    private func send() async {
        var link = PublisherLink(name: name, bus: bus)
        var isAway = false
        while !isDone {
            guard buffer.withLock({ $0.hasWork }) else {
                await bell.wait()
                continue
            }
            do {
                link = try await bus.client.withDedicatedConnection { connection in
                    var link = link
                    do {
                        try await serve(connection, &link)
                    } catch {
                        link.error = error
                    }
                    return link
                }
                if let error = link.error {
                    link.error = nil
                    throw error
                }
            } catch {
                if Task.isCancelled { return }
                if !isAway { logger.warning("Redis does not answer", metadata: [LogKey.error: "\(error)"]) }
                isAway = true
                try? await Task.sleep(for: .milliseconds(100))
                continue
            }
            isAway = false
        }
    }

    private func serve(_ connection: RedisConnection, _ link: inout PublisherLink) async throws {
        try await link.begin(connection)
        let lost = buffer.withLock { $0.inFlight }
        if !lost.isEmpty {
            let found = try await link.find(lost, connection)
            buffer.withLock { $0.answer(found.map { position in position.map { .success($0) } }, wereFound: true) }
            logger.notice(
                "Replies of events were lost",
                metadata: [LogKey.count: "\(lost.count)", "found": "\(found.compactMap(\.self).count)"])
        }
        link.isSettled()
        while !isDone {
            let batch = buffer.withLock { $0.takeBatch() }
            guard !batch.isEmpty else {
                await bell.wait()
                continue
            }
            let results = try await link.send(batch, connection)
            buffer.withLock { $0.answer(results) }
            // Redis is loading or busy.
            if results.contains(where: { $0 == nil }) { try await Task.sleep(for: .milliseconds(50)) }
        }
    }
}
