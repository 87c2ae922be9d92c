internal import Domain
internal import Synchronization

/// All claims a worker is working on.
final class RunningTasks: Sendable {
    private struct State {
        var tasks: [ObjectIdentifier: RunningTask] = [:]
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func insert(_ task: RunningTask) {
        state.withLock { $0.tasks[ObjectIdentifier(task)] = task }
    }

    func remove(_ task: RunningTask) {
        let waiters = state.withLock { state in
            state.tasks[ObjectIdentifier(task)] = nil
            guard state.tasks.isEmpty else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters {
            waiter.resume()
        }
    }

    var all: [RunningTask] { state.withLock { Array($0.tasks.values) } }

    var byType: [TaskType: [RunningTask]] { Dictionary(grouping: all, by: \.claim.type) }

    /// Waits until nothing runs.
    private func whenEmpty() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if !state.tasks.isEmpty { state.waiters.append(continuation) }
                return state.tasks.isEmpty
            }
            if isEmpty { continuation.resume() }
        }
    }

    /// Waits until nothing runs, at most for `time`.
    ///
    /// - Returns: whether nothing runs.
    func whenEmpty(within time: Duration) async -> Bool {
        let (ended, continuation) = AsyncStream.makeStream(of: Bool.self)
        // Not children: the wait for emptiness has no end of its own when a handler never returns.
        let wait = Task {
            await whenEmpty()
            continuation.yield(true)
        }
        let timer = Task {
            try? await Task.sleep(for: time)
            continuation.yield(false)
        }
        defer {
            wait.cancel()
            timer.cancel()
        }
        for await isEmpty in ended { return isEmpty }
        return false
    }
}
