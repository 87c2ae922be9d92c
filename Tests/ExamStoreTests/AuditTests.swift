import Audit
import Domain
import EventBus
import Redis
import Testing

@testable import ExamStore

@Suite("What the store writes into the audit log")
struct AuditTests {
    private func entries(_ fixture: StoreFixture) async throws -> [AuditEntry] {
        let log = AuditLog(client: fixture.client, keys: fixture.store.keys, partitions: fixture.store.partitions)
        return try await log.list(AuditQuery(examID: fixture.examID)).records.map(\.entry)
    }

    @Test("Every change of an exam is written with who made it, and without the answers")
    func exams() async throws {
        let fixture = try await StoreFixture()
        var draft = StoreFixture.draft(pages: 1)
        try await fixture.update(draft)
        draft.title = "Final"
        draft.questions[0].answer = "D"
        try await fixture.update(draft)
        await #expect(throws: ExamStoreError.self) { try await fixture.update(draft, expecting: 1) }
        try await fixture.store.delete(fixture.examID, context: StoreFixture.context)

        let entries = try await entries(fixture)
        #expect(entries.map(\.action) == [.examCreated, .examChanged, .examDeleted])
        #expect(entries.allSatisfy { $0.actor == "clerk" && $0.correlationID == "chain" && $0.source == "/test" })
        #expect(entries[1].details == ["version": "2", "changed": "title,questions"])
        #expect(entries[2].subject == "exam/\(fixture.examID)")
    }

    @Test("Marks that become others are written with the questions, first marks and pages that come later are not")
    func marks() async throws {
        let fixture = try await StoreFixture(pages: 2)
        let first = try await fixture.upload("a")
        let second = try await fixture.upload("b")
        try await fixture.read(first, page: 1, student: "1234")
        try await fixture.mark(first)
        try await fixture.read(second, page: 2, student: "1234", answer: "B")
        try await fixture.mark(first)
        #expect(try await entries(fixture).map(\.action) == [.examCreated])

        try await fixture.changeKey(to: "B")
        try await fixture.mark(first)
        try await fixture.mark(first)
        let entries = try await entries(fixture)
        #expect(entries.map(\.action) == [.examCreated, .examChanged, .marksChanged])
        #expect(entries[2].subject == "sheet/\(first)")
        #expect(entries[2].details == ["questions": "1,2", "key_version": "2"])
    }
}
