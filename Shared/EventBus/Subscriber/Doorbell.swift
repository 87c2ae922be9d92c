internal import Synchronization

/// Wakes one loop. Rings while nobody waits are kept as one, so none is lost.
final class Doorbell: Sendable {
    private struct State {
        var isRung = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func ring() {
        let waiter = state.withLock { state in
            defer { state.waiter = nil }
            state.isRung = state.waiter == nil
            return state.waiter
        }
        waiter?.resume()
    }

    /// Returns when it rings, at once when it rang since the last wait, and when the task is cancelled. One caller at
    /// a time.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mayGoOn = state.withLock { state in
                    // Asked once: a cancellation in the middle of this comes through `ring()`, after it.
                    let mayGoOn = state.isRung || Task.isCancelled
                    state.isRung = false
                    if !mayGoOn { state.waiter = continuation }
                    return mayGoOn
                }
                if mayGoOn { continuation.resume() }
            }
        } onCancel: {
            ring()
        }
    }

    /// As `wait()`, but no longer than `limit`.
    func wait(for limit: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait() }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }
}
