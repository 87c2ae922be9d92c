internal import Synchronization

/// The places for running tasks of one worker, shared by its task types in the order in which they ask.
final class WorkerSlots: Sendable {
    private struct Waiter {
        let id: UInt64
        let most: Int
        let continuation: CheckedContinuation<Int, Never>
    }

    private struct State {
        var free: Int
        var waiters: [Waiter] = []
        var lastID: UInt64 = 0
        /// Waiters that were cancelled before they began to wait.
        var cancelled: Set<UInt64> = []
    }

    private let state: Mutex<State>

    init(count: Int) {
        state = Mutex(State(free: count))
    }

    /// How many wait for a place.
    var waiting: Int { state.withLock { $0.waiters.count } }

    /// Takes free places now; none while others wait for some.
    func tryAcquire(upTo most: Int) -> Int {
        state.withLock { state in
            guard state.waiters.isEmpty else { return 0 }
            let taken = min(state.free, most)
            state.free -= taken
            return taken
        }
    }

    /// Waits for at least one place. Where several wait, free ones are shared out evenly.
    ///
    /// - Returns: how many were taken; 0 when the task was cancelled.
    func acquire(upTo most: Int) async -> Int {
        let taken = tryAcquire(upTo: most)
        if taken > 0 { return taken }
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let refused = state.withLock { state in
                    if state.cancelled.remove(id) != nil { return true }
                    state.waiters.append(Waiter(id: id, most: most, continuation: continuation))
                    return false
                }
                if refused {
                    continuation.resume(returning: 0)
                } else {
                    release(0)
                }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                guard let index = state.waiters.firstIndex(where: { $0.id == id }) else {
                    state.cancelled.insert(id)
                    return nil
                }
                return state.waiters.remove(at: index)
            }
            waiter?.continuation.resume(returning: 0)
        }
    }

    /// Gives places back.
    func release(_ count: Int) {
        let granted = state.withLock { state in
            state.free += count
            var granted: [(waiter: Waiter, count: Int)] = []
            while state.free > 0, !state.waiters.isEmpty {
                let share = (state.free + state.waiters.count - 1) / state.waiters.count
                let waiter = state.waiters.removeFirst()
                let taken = min(share, waiter.most)
                state.free -= taken
                granted.append((waiter, taken))
            }
            return granted
        }
        for (waiter, count) in granted {
            waiter.continuation.resume(returning: count)
        }
    }
}
