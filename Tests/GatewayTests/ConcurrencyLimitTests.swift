import Synchronization
import Testing

@testable import Gateway

@Suite struct ConcurrencyLimitTests {
    @Test func `no more than the limit run at once and all have their turn`() async throws {
        let limit = ConcurrencyLimit(3, maxWaiting: 1000)
        let counter = Counter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    try await limit.run {
                        counter.enter()
                        for _ in 0..<5 { await Task.yield() }
                        counter.leave()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(counter.done == 200)
        #expect(counter.most <= 3)
    }

    @Test func `whoever finds the queue full is refused and the place is not lost`() async throws {
        let limit = ConcurrencyLimit(1, maxWaiting: 0)
        await #expect(throws: Problem.self) {
            try await limit.run { try await limit.run {} }
        }
        try await limit.run {}
    }
}

private final class Counter: Sendable {
    private let state = Mutex((now: 0, most: 0, done: 0))

    var most: Int { state.withLock { $0.most } }
    var done: Int { state.withLock { $0.done } }

    func enter() {
        state.withLock {
            $0.now += 1
            $0.most = max($0.most, $0.now)
        }
    }

    func leave() {
        state.withLock {
            $0.now -= 1
            $0.done += 1
        }
    }
}
