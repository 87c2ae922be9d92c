/// When a process that ended is started again.
///
/// The first restart comes quickly, so that a crash costs little; a process that keeps ending is started less and less
/// often. Before the system was ready once, one that keeps ending is given up: its configuration is wrong, and the
/// operator is looking.
struct RestartStateMachine: Sendable {
    struct Policy: Sendable {
        var firstDelay: Duration = .milliseconds(100)
        var maximumDelay: Duration = .seconds(5)
        /// A process that ran this long is not counted as one that keeps ending.
        var stableAfter: Duration = .seconds(10)
        /// Ends in a row before the system was ready that are too many.
        var startAttempts = 3
    }

    enum Action: Equatable, Sendable {
        case restart(after: Duration)
        case giveUp
        /// It was told to stop.
        case done
    }

    private enum State {
        case starting
        case serving
        case stopping
    }

    private let policy: Policy
    private var state = State.starting
    private var startedAt: ContinuousClock.Instant?
    private var endsInARow = 0

    init(policy: Policy = Policy()) {
        self.policy = policy
    }

    var isStopping: Bool { state == .stopping }

    mutating func started(at now: ContinuousClock.Instant) {
        startedAt = now
    }

    /// The system was ready: from now on nothing is given up.
    mutating func systemBecameReady() {
        if state == .starting { state = .serving }
    }

    mutating func stop() {
        state = .stopping
    }

    /// The process ended, or could not be started.
    mutating func ended(at now: ContinuousClock.Instant) -> Action {
        guard state != .stopping else { return .done }
        if let startedAt, startedAt.duration(to: now) >= policy.stableAfter { endsInARow = 0 }
        startedAt = nil
        endsInARow += 1
        if state == .starting && endsInARow >= policy.startAttempts { return .giveUp }
        return .restart(after: delay)
    }

    private var delay: Duration {
        var delay = policy.firstDelay
        for _ in 1..<max(endsInARow, 1) where delay < policy.maximumDelay { delay *= 2 }
        return min(delay, policy.maximumDelay)
    }
}
