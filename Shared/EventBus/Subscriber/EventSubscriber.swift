internal import Domain
package import Logging
internal import Redis
internal import ServiceLifecycle
internal import Synchronization

/// A replica of a group: handles the events of the partitions it owns.
///
/// Every event reaches the group's handlers at least once, those of an exam in their order, one at a time. Partitions
/// move between replicas as they come and go. At graceful shutdown the replica stops reading, finishes what it handles,
/// acknowledges and gives its partitions up at once. Cancelled, it stops where it is and its partitions move when its
/// lease has run out, as after a crash.
///
/// Loss of the connection, a restart of Redis, `SCRIPT FLUSH` and even `FLUSHALL` are survived: `run()` throws only
/// what makes a start pointless (`EventBusError` of `.partitionCountMismatch` or `.invalidArgument`).
package final class EventSubscriber: Service {
    let bus: EventBus
    let group: String
    /// The replica's name in the group, new at every start.
    let member: String
    /// Its name as its operator knows it.
    let replica: String
    let handlers: HandlerRegistry
    let start: GroupStart
    let logger: Logger

    let lanes: Mutex<LaneStateMachine>
    /// But those handled, which are counted apart because there are so many.
    let counters = Mutex(SubscriberCounters())
    let handled = Atomic(0)
    /// Lost events by partition that Redis does not know about yet.
    let lossesToReport = Mutex<[Int: Int]>([:])
    /// Rung when the set of partitions to read changed, or there is room again.
    let readerBell = Doorbell()
    let ownershipBell = Doorbell()
    let acknowledgementBell = Doorbell()
    let retryBell = Doorbell()
    let refillBell = Doorbell()
    /// Events that may be what ends processes are handled one at a time.
    let suspects = SerialGate()
    let isStopping = Atomic(false)
    /// The connection the reader blocks on; 0 for none.
    let readerConnection = Atomic(0)
    private let starts = AsyncStream<Void>.makeStream()

    /// - Parameters:
    ///   - replica: Tells the replicas of a group apart, and is shown as owner.
    ///   - handlers: With different names. Several may handle the same type: they are called in this order.
    ///   - start: Where the group begins when it is not there yet.
    package init(
        bus: EventBus, group: String, replica: String, handlers: [any EventHandler], start: GroupStart = .beginning,
        logger: Logger
    ) {
        self.bus = bus
        self.start = start
        self.group = group
        self.member = PartitionToken.member(of: replica)
        self.replica = replica
        self.handlers = HandlerRegistry(handlers)
        var logger = logger
        logger[metadataKey: LogKey.group] = "\(group)"
        self.logger = logger
        lanes = Mutex(LaneStateMachine(maxWorkers: bus.configuration.maxConcurrentExams))
    }

    /// What this replica has done since it started.
    package var statistics: SubscriberCounters {
        var counters = counters.withLock { $0 }
        counters.handled = handled.load(ordering: .relaxed)
        return counters
    }

    /// Partitions this replica owns now.
    package var ownedPartitions: [Int] { lanes.withLock { $0.held.keys.sorted() } }

    package func run() async throws {
        guard Self.isValidName(group), Self.isValidName(member) else {
            throw EventBusError(
                .invalidArgument,
                "A group's and a replica's name must be 1 to 128 letters, digits, '-', '_', '.' or ':', without spaces")
        }
        try handlers.validate()
        try await prepare()
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { tasks in
                tasks.addTask {
                    await self.keepOwnership()
                    // All partitions are given up: nothing is left to do for the others.
                    self.starts.continuation.finish()
                }
                tasks.addTask { await self.readLoop() }
                tasks.addTask(executorPreference: self.bus.client.taskExecutor) { await self.acknowledgeLoop() }
                tasks.addTask { await self.retryLoop() }
                tasks.addTask { await self.refillLoop() }
                for await _ in starts.stream {
                    tasks.addTask { await self.work() }
                }
                tasks.cancelAll()
            }
        } onGracefulShutdown: {
            self.isStopping.store(true, ordering: .relaxed)
            self.ownershipBell.ring()
        }
    }

    /// Redis may be away at the start; that is waited for.
    private func prepare() async throws {
        while !Task.isCancelled, !isStopping.load(ordering: .relaxed) {
            do {
                return try await bus.prepare()
            } catch let error as RedisError {
                logger.warning("Redis is not ready", metadata: [LogKey.error: "\(error)"])
                try? await Task.sleep(for: bus.configuration.heartbeat)
            }
        }
    }

    /// Starts workers for lanes that became ready.
    func startWorkers() {
        let count = lanes.withLock { $0.workersToStart() }
        for _ in 0..<count {
            starts.continuation.yield()
        }
    }

    private static func isValidName(_ name: String) -> Bool {
        (1...128).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "!")...UInt8(ascii: "~")).contains(byte)
            }
    }
}

/// Where a group begins that is added to a system with a history.
package enum GroupStart: String, Sendable {
    /// At the first event there is: a service that starts late has missed nothing.
    case beginning = "0"
    /// Behind the last event there is when the group first takes the partition: for groups that only accompany what
    /// happens, such as those that notify people.
    case now = "$"
}

/// What a subscriber has done since it started.
package struct SubscriberCounters: Sendable, Equatable {
    /// Events handled, once for each success.
    package var handled = 0
    /// Failed tries that were or will be repeated.
    package var retried = 0
    /// Tries that failed because Redis did, and do not count as the event's.
    package var postponed = 0
    package var deadLettered = 0
    /// Events without a handler here.
    package var skipped = 0
    /// Entries trimmed before they were acknowledged.
    package var lost = 0
    /// Partitions taken, and lost to another replica or by an expired lease.
    package var acquired = 0
    package var taken = 0
}

enum LogKey {
    static let group = "group"
    static let partition = "partition"
    static let position = "position"
    static let handler = "handler"
    static let attempt = "attempt"
    static let error = "error"
    static let count = "count"
    static let eventType = "event_type"
    static let correlationID = "correlation_id"
    static let replica = "replica"
    static let replay = "replay"
}
