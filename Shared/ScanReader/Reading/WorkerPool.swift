internal import Synchronization

/// Lends each of a fixed number of things to one caller at a time, in the order of asking.
///
/// Callers wait in their own tasks, so the number waiting is bounded by whoever bounds those.
final class WorkerPool<Worker: Sendable>: Sendable {
    private struct State {
        var idle: [Worker]
        var waiting: [(id: UInt64, continuation: CheckedContinuation<Worker?, Never>)] = []
        var nextID: UInt64 = 0
    }

    let all: [Worker]
    private let state: Mutex<State>

    init(_ workers: [Worker]) {
        all = workers
        state = Mutex(State(idle: workers))
    }

    /// Nil when the task is cancelled while it waits.
    func borrow() async -> Worker? {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now: Worker?? = state.withLock { state in
                    if Task.isCancelled { return .some(nil) }
                    // The one used last has its process running and its memory warm.
                    if let worker = state.idle.popLast() { return worker }
                    state.waiting.append((id, continuation))
                    return nil
                }
                if let now { continuation.resume(returning: now) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> CheckedContinuation<Worker?, Never>? in
                guard let index = state.waiting.firstIndex(where: { $0.id == id }) else { return nil }
                return state.waiting.remove(at: index).continuation
            }
            waiter?.resume(returning: nil)
        }
    }

    func giveBack(_ worker: Worker) {
        let waiter = state.withLock { state -> CheckedContinuation<Worker?, Never>? in
            if state.waiting.isEmpty {
                state.idle.append(worker)
                return nil
            }
            return state.waiting.removeFirst().continuation
        }
        waiter?.resume(returning: worker)
    }
}
