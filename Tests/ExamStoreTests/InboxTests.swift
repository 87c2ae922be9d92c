import Domain
import EventBus
import Testing

@testable import ExamStore

@Suite("Inboxes")
struct InboxTests {
    private static func deliver(
        _ fixture: StoreFixture, _ number: Int, at position: Int, to user: UserID = "li", fence: String = "f1"
    ) async throws {
        let message = InboxMessage(
            id: "m\(number)", kind: .sheetFailed, examID: fixture.examID, subject: "s", detail: "\(number)",
            time: Timestamp(milliseconds: Int64(1000 + number)))
        try await fixture.store.deliver(
            message, to: user, about: fixture.examID,
            guardedBy: fixture.effectGuard(StreamPosition(milliseconds: UInt64(position)), fence: fence),
            context: StoreFixture.context)
    }

    @Test("A message is delivered and told once, however often its event comes")
    func once() async throws {
        let fixture = try await StoreFixture()
        try await fixture.own("f1")
        for _ in 0..<3 { try await Self.deliver(fixture, 1, at: 1) }
        #expect(try await fixture.store.inbox(user: "li", cursor: nil, limit: 10).items.map(\.id) == ["m1"])
        #expect(try await fixture.store.inbox(user: "wang", cursor: nil, limit: 10).items.isEmpty)
        #expect(try await fixture.count(NotificationCreated.self) == 1)
        await #expect(throws: ExamStoreError.self) { try await Self.deliver(fixture, 2, at: 2, fence: "stale") }
        #expect(try await fixture.store.inbox(user: "li", cursor: nil, limit: 10).items.count == 1)
    }

    @Test("An inbox keeps the newest messages and lists them newest first, page by page")
    func capped() async throws {
        let fixture = try await StoreFixture()
        try await fixture.own("f1")
        let total = ExamStore.inboxCapacity + 7
        for number in 1...total { try await Self.deliver(fixture, number, at: number) }
        var found: [InboxMessage] = []
        var cursor: String?
        repeat {
            let page = try await fixture.store.inbox(user: "li", cursor: cursor, limit: 200)
            found += page.items
            cursor = page.nextCursor
        } while cursor != nil
        #expect(found.map(\.id) == (8...total).reversed().map { "m\($0)" })
        #expect(try await fixture.count(NotificationCreated.self) == total)
    }
}
