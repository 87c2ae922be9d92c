/// The shared connections: which are up, which are being made, and when to try again. Does no I/O.
struct PoolStateMachine {
    enum Action: Equatable {
        case connect(slot: Int)
        case connectLater(slot: Int, delay: Duration)
        case nothing
    }

    private enum Slot: Equatable {
        case idle
        case connecting
        case ready
        case waiting
    }

    private var slots: [Slot]
    /// Failures in a row of each slot.
    private var failures: [Int]
    private var isClosed = false
    private let backoff: ReconnectBackoff
    /// A connection lost sooner than this after it became ready counts as a failure, so that a server which accepts
    /// and hangs up is not tried in a tight loop.
    private let settledAfter: Duration

    init(size: Int, backoff: ReconnectBackoff) {
        slots = Array(repeating: .idle, count: size)
        failures = Array(repeating: 0, count: size)
        self.backoff = backoff
        settledAfter = backoff.cap
    }

    /// Connects every slot that was never connected.
    mutating func start() -> [Action] {
        guard !isClosed else { return [] }
        var actions: [Action] = []
        for slot in slots.indices where slots[slot] == .idle {
            slots[slot] = .connecting
            actions.append(.connect(slot: slot))
        }
        return actions
    }

    mutating func connected(slot: Int) {
        slots[slot] = .ready
    }

    mutating func failed(slot: Int, using generator: inout some RandomNumberGenerator) -> Action {
        failures[slot] += 1
        return retry(slot: slot, using: &generator)
    }

    /// - Parameter age: How long the connection had been ready.
    mutating func lost(slot: Int, age: Duration, using generator: inout some RandomNumberGenerator) -> Action {
        failures[slot] = age >= settledAfter ? 0 : failures[slot] + 1
        return retry(slot: slot, using: &generator)
    }

    mutating func waited(slot: Int) -> Action {
        guard !isClosed, slots[slot] == .waiting else { return .nothing }
        slots[slot] = .connecting
        return .connect(slot: slot)
    }

    mutating func close() {
        isClosed = true
    }

    private mutating func retry(slot: Int, using generator: inout some RandomNumberGenerator) -> Action {
        guard !isClosed else {
            slots[slot] = .idle
            return .nothing
        }
        guard failures[slot] > 0 else {
            slots[slot] = .connecting
            return .connect(slot: slot)
        }
        slots[slot] = .waiting
        return .connectLater(slot: slot, delay: backoff.delay(attempt: failures[slot], using: &generator))
    }
}
