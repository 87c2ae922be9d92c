internal import Synchronization

/// A claim that a worker is working on.
final class RunningTask: Sendable {
    enum StopReason: Sendable {
        case timedOut
        case cancelled
        /// Another worker has the task, or may have: nothing may be reported any more.
        case lost
        /// The worker ends.
        case draining
    }

    private struct State {
        var work: Task<Void, Never>?
        var deadline: ContinuousClock.Instant
        var stop: StopReason?
        var stoppedAt: ContinuousClock.Instant?
        /// Whoever sets it, and nobody else, tells the queue how the run ended.
        var isReported = false
        /// Its end was reported without it.
        var isGivenUp = false
        var progress: (fraction: Double, message: String)?
        var progressSentAt: ContinuousClock.Instant?
    }

    let claim: TaskClaim
    private let state: Mutex<State>

    init(_ claim: TaskClaim, deadline: ContinuousClock.Instant) {
        self.claim = claim
        state = Mutex(State(deadline: deadline))
    }

    /// What is to be cancelled when the run must stop; cancelled at once when it must already.
    func attach(_ work: Task<Void, Never>) {
        let isStopped = state.withLock { state in
            state.work = work
            return state.stop != nil
        }
        if isStopped { work.cancel() }
    }

    /// - Returns: whether this is the first reason to stop.
    @discardableResult
    func stop(_ reason: StopReason, at now: ContinuousClock.Instant) -> Bool {
        let (isFirst, work) = state.withLock { state in
            guard !state.isReported, state.stop == nil || (reason == .lost && state.stop != .lost) else {
                return (false, nil as Task<Void, Never>?)
            }
            state.stop = reason
            state.stoppedAt = state.stoppedAt ?? now
            return (true, state.work)
        }
        work?.cancel()
        return isFirst
    }

    var stopReason: StopReason? { state.withLock { $0.stop } }

    /// Claims the right to report the end of the run. True for one caller only.
    func beginReport() -> Bool {
        state.withLock { state in
            defer { state.isReported = true }
            return !state.isReported
        }
    }

    /// As `beginReport`, for a run that goes on although its end is reported.
    func giveUp() -> Bool {
        state.withLock { state in
            guard !state.isReported else { return false }
            state.isReported = true
            state.isGivenUp = true
            return true
        }
    }

    var isGivenUp: Bool { state.withLock { $0.isGivenUp } }

    var isReported: Bool { state.withLock { $0.isReported } }

    func isOverdue(at now: ContinuousClock.Instant) -> Bool {
        state.withLock { $0.stop == nil && !$0.isReported && now >= $0.deadline }
    }

    /// Whether the handler was asked to stop `grace` ago and has not.
    func isDeaf(at now: ContinuousClock.Instant, grace: Duration) -> Bool {
        state.withLock { state in
            guard !state.isReported, let stoppedAt = state.stoppedAt else { return false }
            return now >= stoppedAt + grace
        }
    }

    /// Keeps the newest progress until it is sent.
    ///
    /// - Returns: whether it is time to send it now.
    func note(
        progress fraction: Double, _ message: String, at now: ContinuousClock.Instant, every interval: Duration
    ) -> Bool {
        state.withLock { state in
            state.progress = (min(max(fraction, 0), 1), String(message.prefix(500)))
            guard !state.isReported else { return false }
            if let last = state.progressSentAt, now < last + interval { return false }
            state.progressSentAt = now
            return true
        }
    }

    /// The heartbeat to send, with progress not sent yet.
    func beat() -> TaskQueue.Beat {
        state.withLock { state in
            defer { state.progress = nil }
            return TaskQueue.Beat(id: claim.id, fence: claim.fence, progress: state.progress)
        }
    }
}
