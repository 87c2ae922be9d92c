import Synchronization
import Testing

@testable import Gateway

@Suite struct ConcurrencyLimitTests {
    @Test func `no more than the limit run at once and all have their turn`() async throws {
        let limit = ConcurrencyLimit(3, maxWaiting: 1000)
        let running = Mutex((now: 0, most: 0, done: 0))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    try await limit.run {
                        running.withLock {
                            $0.now += 1
                            $0.most = max($0.most, $0.now)
                        }
                        for _ in 0..<5 { await Task.yield() }
                        running.withLock {
                            $0.now -= 1
                            $0.done += 1
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(running.withLock { $0.done } == 200)
        #expect(running.withLock { $0.most } <= 3)
    }

    @Test func `whoever finds the queue full is refused and the place is not lost`() async throws {
        let limit = ConcurrencyLimit(1, maxWaiting: 0)
        await #expect(throws: Problem.self) {
            try await limit.run { try await limit.run {} }
        }
        try await limit.run {}
    }
}
