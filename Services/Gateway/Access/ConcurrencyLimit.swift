import DequeModule
import HTTPTypes
import Synchronization

/// Lets a few callers at a time do something costly, makes some wait in turn, and refuses the rest.
final class ConcurrencyLimit: Sendable {
    private struct State {
        var running = 0
        var waiting: Deque<CheckedContinuation<Bool, Never>> = []
    }

    private let limit: Int
    private let maxWaiting: Int
    private let state = Mutex(State())

    init(_ limit: Int, maxWaiting: Int) {
        self.limit = limit
        self.maxWaiting = maxWaiting
    }

    /// - Throws: `Problem` with 503 when too many wait already; what `body` throws.
    func run<Result>(_ body: () async throws -> Result) async throws -> Result {
        let isAdmitted = await withCheckedContinuation { continuation in
            let answer: Bool? = state.withLock { state in
                if state.running < limit {
                    state.running += 1
                    return true
                }
                guard state.waiting.count < maxWaiting else { return false }
                state.waiting.append(continuation)
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
        guard isAdmitted else {
            throw Problem(
                .serviceUnavailable, "too-busy", "Too many such requests at once. Try again.",
                headers: [.retryAfter: "2"])
        }
        defer { leave() }
        try Task.checkCancellation()
        return try await body()
    }

    /// Hands the place to who waits longest.
    private func leave() {
        let next = state.withLock { state in
            let next = state.waiting.popFirst()
            if next == nil { state.running -= 1 }
            return next
        }
        next?.resume(returning: true)
    }
}
