import Synchronization
import Testing

@testable import TaskQueue

@Suite(.timeLimit(.minutes(1))) struct CoalescerTests {
    @Test func `what is asked for while a call is on its way goes into the next, and each gets its answer`()
        async throws
    {
        let sizes = Mutex<[Int]>([])
        let asked = Journal()
        let gate = Gate()
        let coalescer = Coalescer<Int, Int>(most: 50) { items in
            sizes.withLock { $0.append(items.count) }
            try await gate.wait()
            return items.map { $0 * 2 }
        }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<1000 {
                group.addTask {
                    asked.note("\(number)")
                    return try await coalescer.send(number) == number * 2
                }
            }
            try await until("all have asked") { asked.all.count == 1000 }
            gate.open()
            for try await isRight in group { #expect(isRight) }
        }
        let seen = sizes.withLock { $0 }
        #expect(seen.reduce(0, +) == 1000)
        #expect(seen.max() ?? 0 <= 50)
        #expect(seen.count < 500)
    }

    @Test func `an error reaches all callers of its call, and the next call is made`() async throws {
        struct Refused: Error {}
        let isBroken = Mutex(true)
        let coalescer = Coalescer<Int, Int>(most: 10) { items in
            if isBroken.withLock({ $0 }) { throw Refused() }
            return items
        }
        await #expect(throws: Refused.self) { try await coalescer.send(1) }
        isBroken.withLock { $0 = false }
        #expect(try await coalescer.send(2) == 2)
    }
}
