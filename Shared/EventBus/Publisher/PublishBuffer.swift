import DequeModule
import Redis
import Synchronization

/// What waits to be appended, in order, and who waits for room. Pure but for fulfilling results.
struct PublishBuffer {
    struct Item: Sendable {
        let ticket: UInt64
        let eventID: String
        let partition: Int
        let command: RedisCommand
        let bytes: Int
        let deadline: ContinuousClock.Instant
        let result: PublishResult
    }

    private struct Waiter {
        let ticket: UInt64
        let events: Int
        let bytes: Int
        let deadline: ContinuousClock.Instant
        let continuation: CheckedContinuation<Void, any Error>
    }

    private let limits: EventPublisherConfiguration
    private var queue: Deque<Item> = []
    /// Sent and not answered, in the order they were sent; at most one batch.
    private(set) var inFlight: [Item] = []
    /// Those of them whose callers have been told that the outcome is unknown.
    private var givenUp: Set<UInt64> = []
    private var waiters: Deque<Waiter> = []
    private var events = 0
    private var bytes = 0
    private var lastTicket: UInt64 = 0
    private(set) var isClosed = false
    private var counters = EventPublisherStatistics()

    init(_ limits: EventPublisherConfiguration) {
        self.limits = limits
    }

    var statistics: EventPublisherStatistics {
        var statistics = counters
        statistics.buffered = events
        return statistics
    }

    var hasWork: Bool { !queue.isEmpty || !inFlight.isEmpty }
    /// Whether nobody waits for anything.
    var isSettled: Bool { queue.isEmpty && inFlight.count == givenUp.count }

    mutating func ticket() -> UInt64 {
        lastTicket += 1
        return lastTicket
    }

    // MARK: Room

    /// - Returns: whether there is room; it is then reserved.
    mutating func reserve(events count: Int, bytes size: Int) -> Bool {
        guard !isClosed, waiters.isEmpty, hasRoom(count, size) else { return false }
        events += count
        bytes += size
        return true
    }

    mutating func wait(
        _ ticket: UInt64, events: Int, bytes: Int, deadline: ContinuousClock.Instant,
        _ continuation: CheckedContinuation<Void, any Error>
    ) {
        waiters.append(
            Waiter(ticket: ticket, events: events, bytes: bytes, deadline: deadline, continuation: continuation))
        admit()
    }

    private func hasRoom(_ count: Int, _ size: Int) -> Bool {
        events == 0 || (events + count <= limits.maxEvents && bytes + size <= limits.maxBytes)
    }

    private mutating func admit() {
        while let first = waiters.first, hasRoom(first.events, first.bytes) {
            waiters.removeFirst()
            events += first.events
            bytes += first.bytes
            first.continuation.resume()
        }
    }

    private mutating func settle(_ item: Item, _ result: Result<StreamPosition, any Error>) {
        events -= 1
        bytes -= item.bytes
        switch result {
        case .success: counters.published += 1
        case .failure: counters.failed += 1
        }
        item.result.fulfil(result)
    }

    // MARK: Items

    /// The room was reserved before.
    mutating func append(_ items: [Item]) {
        guard !isClosed else {
            for item in items { settle(item, .failure(Self.closed)) }
            return
        }
        queue.append(contentsOf: items)
    }

    /// What to send next.
    mutating func takeBatch() -> [Item] {
        guard inFlight.isEmpty else { return [] }
        var size = 0
        while inFlight.count < limits.batch, let item = queue.first, inFlight.isEmpty || size + item.bytes <= 1 << 20 {
            size += item.bytes
            inFlight.append(item)
            queue.removeFirst()
        }
        return inFlight
    }

    /// Answers for all of the batch in flight; nil puts the event back to be sent again, in its place.
    mutating func answer(_ results: [Result<StreamPosition, any Error>?], wereFound: Bool = false) {
        var again: [Item] = []
        for (item, result) in zip(inFlight, results) {
            if givenUp.remove(item.ticket) != nil { continue }
            if let result {
                if wereFound, case .success = result { counters.found += 1 }
                settle(item, result)
            } else {
                counters.repeated += 1
                again.append(item)
            }
        }
        inFlight = []
        queue.insert(contentsOf: again, at: 0)
        admit()
    }

    /// A caller was cancelled: what was not sent is withdrawn.
    mutating func withdraw(_ tickets: Set<UInt64>) {
        expel(CancellationError()) { tickets.contains($0.ticket) }
        for waiter in waiters where tickets.contains(waiter.ticket) {
            waiter.continuation.resume(throwing: CancellationError())
        }
        waiters.removeAll { tickets.contains($0.ticket) }
        admit()
    }

    mutating func expire(_ now: ContinuousClock.Instant) {
        expel(EventBusError(.notPublished, "Redis did not take the event within \(limits.timeout)")) {
            $0.deadline <= now
        }
        for item in inFlight where item.deadline <= now && givenUp.insert(item.ticket).inserted {
            settle(item, .failure(Self.unknown))
        }
        for waiter in waiters where waiter.deadline <= now {
            waiter.continuation.resume(throwing: Self.full)
            counters.failed += 1
        }
        waiters.removeAll { $0.deadline <= now }
        admit()
    }

    private mutating func expel(_ error: any Error, _ isExpelled: (Item) -> Bool) {
        let expelled = queue.filter(isExpelled)
        guard !expelled.isEmpty else { return }
        queue.removeAll(where: isExpelled)
        for item in expelled { settle(item, .failure(error)) }
    }

    /// Nothing more is taken or sent.
    mutating func close() {
        isClosed = true
        expel(Self.closed) { _ in true }
        for item in inFlight where !givenUp.contains(item.ticket) { settle(item, .failure(Self.unknown)) }
        inFlight = []
        givenUp = []
        for waiter in waiters { waiter.continuation.resume(throwing: Self.closed) }
        waiters = []
    }

    static let unknown = RedisError(.outcomeUnknown, "no reply came before the publisher gave up")
    static let closed = EventBusError(.notPublished, "The publisher is closed")
    static let full = EventBusError(.bufferFull, "The publisher's buffer is full: Redis is slow or away")
}

/// The outcome of one event, awaited by one caller.
final class PublishResult: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<StreamPosition, any Error>)
        case settled(Result<StreamPosition, any Error>)
    }

    private let state = Mutex(State.open)

    func fulfil(_ result: Result<StreamPosition, any Error>) {
        let waiting: CheckedContinuation<StreamPosition, any Error>? = state.withLock { state in
            defer { state = .settled(result) }
            if case .awaited(let continuation) = state { return continuation }
            return nil
        }
        waiting?.resume(with: result)
    }

    func value() async throws -> StreamPosition {
        try await withCheckedThrowingContinuation { continuation in
            let settled: Result<StreamPosition, any Error>? = state.withLock { state in
                if case .settled(let result) = state { return result }
                state = .awaited(continuation)
                return nil
            }
            if let settled { continuation.resume(with: settled) }
        }
    }
}
