import Domain
import EventBus
import Synchronization
import Testing

@testable import Gateway

@Suite struct EventMailboxTests {
    private static func event(_ number: UInt64) throws -> StoredEvent {
        StoredEvent(
            position: StreamPosition(milliseconds: number), partition: 0,
            event: try RunningGateway.event(Int(number), exam: "a"))
    }

    @Test func `a producer waits while the mailbox is full and nothing is lost`() async throws {
        let mailbox = EventMailbox(capacity: 3)
        let pushed = Count()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                for number in 1...100 {
                    await mailbox.push(try Self.event(UInt64(number)))
                    pushed.value = number
                }
            }
            var received: [UInt64] = []
            loop: while received.count < 100 {
                guard case .events(let events) = await mailbox.next() else { break loop }
                // It cannot be further ahead than the mailbox and the one that waits.
                #expect(events.count <= 4)
                #expect(pushed.value <= received.count + events.count + 4)
                received += events.map(\.position.milliseconds)
            }
            #expect(received == Array(1...100))
            try await tasks.waitForAll()
        }
    }

    @Test func `the end wakes a producer that waits, and the first one counts`() async throws {
        let mailbox = EventMailbox(capacity: 1)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { for number in 1...5 { await mailbox.push(try Self.event(UInt64(number))) } }
            mailbox.end(.shutdown)
            mailbox.end(.failed)
            try await tasks.waitForAll()
        }
        guard case .end(.shutdown) = await mailbox.next() else { return #expect(Bool(false), "another end") }
    }

    @Test func `a reader and a producer that are cancelled stop waiting`() async throws {
        let mailbox = EventMailbox(capacity: 1)
        let reader = Task { await mailbox.next() }
        reader.cancel()
        guard case .end(.disconnected) = await reader.value else { return #expect(Bool(false), "no end") }
        let full = EventMailbox(capacity: 1)
        let producer = Task { await full.push(try Self.event(1)) }
        producer.cancel()
        try await producer.value
    }

    @Test func `reminders are one until they are read`() async {
        let mailbox = EventMailbox(capacity: 1)
        for _ in 0..<3 { mailbox.remind() }
        guard case .keepAlive = await mailbox.next() else { return #expect(Bool(false), "no reminder") }
        mailbox.end(.shutdown)
        guard case .end = await mailbox.next() else { return #expect(Bool(false), "another reminder") }
    }
}

private final class Count: Sendable {
    private let number = Mutex(0)

    var value: Int {
        get { number.withLock { $0 } }
        set { number.withLock { $0 = newValue } }
    }
}
