import Domain
import EventBus
import Testing

@testable import ExamStore

@Suite("Who has to do with an exam")
struct GrantTests {
    private let context = StoreFixture.context

    private func listed(_ fixture: StoreFixture, _ user: UserID) async throws -> [ExamID] {
        try await fixture.store.exams(of: user, cursor: nil, limit: 10).items.map(\.id)
    }

    @Test("It is on the lists of those it is shared with and of its markers, as long as it is")
    func lists() async throws {
        let fixture = try await StoreFixture(pages: 2)
        let id = fixture.examID
        _ = try await fixture.store.share(id, with: "wang", .read, context: context)
        _ = try await fixture.store.assign([1, 2, 9], of: id, to: "wang", context: context)
        let exam = try #require(try await fixture.store.exam(id))
        #expect(exam.grants?.access(of: "wang") == .read)
        #expect(exam.grants?.questions(of: "wang") == [1, 2])
        #expect(exam.version == 3)
        #expect(exam.keyVersion == 1)
        #expect(try await listed(fixture, "wang") == [id])
        _ = try await fixture.store.share(id, with: "wang", nil, context: context)
        #expect(try await listed(fixture, "wang") == [id])
        _ = try await fixture.store.assign([], of: id, to: "wang", context: context)
        #expect(try await listed(fixture, "wang").isEmpty)
        #expect(try await listed(fixture, "li") == [id])
        #expect(try await fixture.count(ExamUpdated.self) == 4)
    }

    @Test("A change of the exam keeps them, but for questions that are gone")
    func changes() async throws {
        let fixture = try await StoreFixture(pages: 2)
        _ = try await fixture.store.share(fixture.examID, with: "wang", .edit, context: context)
        _ = try await fixture.store.assign([1, 2], of: fixture.examID, to: "zhao", context: context)
        _ = try await fixture.store.assign([2], of: fixture.examID, to: "qian", context: context)
        _ = try await fixture.store.setPublished(true, fixture.examID, context: context)
        let exam = try await fixture.update(StoreFixture.draft(pages: 1))
        #expect(exam.grants?.access(of: "wang") == .edit)
        #expect(exam.grants?.questions(of: "zhao") == [1])
        #expect(exam.publishedAt != nil)
        #expect(try await listed(fixture, "zhao") == [fixture.examID])
        #expect(try await listed(fixture, "qian").isEmpty)
    }

    @Test("A deleted exam is on nobody's list and among no results")
    func deletion() async throws {
        let fixture = try await StoreFixture()
        let sheet = try await fixture.upload("a")
        try await fixture.read(sheet, student: "1234")
        _ = try await fixture.store.share(fixture.examID, with: "wang", .read, context: context)
        _ = try await fixture.store.setPublished(true, fixture.examID, context: context)
        #expect(try await fixture.store.results(student: "1234", cursor: nil, limit: 10).items.count == 1)
        try await fixture.store.delete(fixture.examID, context: context)
        #expect(try await listed(fixture, "wang").isEmpty)
        #expect(try await fixture.store.results(student: "1234", cursor: nil, limit: 10).items.isEmpty)
        try await fixture.store.purge(fixture.examID)
        #expect(try await fixture.keysOfExam().isEmpty)
    }

    @Test("Results are found among many published exams, page by page, each once")
    func results() async throws {
        let fixture = try await StoreFixture()
        var sat: [ExamID] = []
        for number in 0..<30 {
            let id = ExamID.make()
            try await fixture.store.create(
                StoreFixture.exam(id, pages: 1), layout: StoreFixture.layout(1), context: context)
            let sheet = try await fixture.store.addSheet(
                exam: id, blob: BlobID(String(repeating: "0", count: 64)), file: "a.png", filePage: 1,
                context: context
            ).sheetID
            let student = number.isMultiple(of: 3) ? "1234" : "4321"
            _ = try await fixture.store.record(
                StoreFixture.reading(student: student), of: sheet, context: context)
            if number != 6 { _ = try await fixture.store.setPublished(true, id, context: context) }
            if number.isMultiple(of: 3), number != 6 { sat.append(id) }
        }
        var found: [ExamID] = []
        var cursor: String?
        repeat {
            let page = try await fixture.store.results(student: "1234", cursor: cursor, limit: 2)
            #expect(page.items.count <= 2)
            found += page.items.map(\.exam.id)
            cursor = page.nextCursor
        } while cursor != nil
        #expect(Set(found) == Set(sat))
        #expect(found.count == sat.count)
        #expect(try await fixture.store.result(student: "4321", exam: sat[0]) == nil)
        #expect(try await fixture.store.result(student: "1234", exam: sat[0])?.exam.id == sat[0])
    }

    @Test("Many at once are all granted")
    func race() async throws {
        let fixture = try await StoreFixture()
        try await concurrently(Array(0..<12)) { number in
            _ = try await fixture.store.share(fixture.examID, with: UserID("u\(number)"), .read, context: context)
        }
        #expect(try await fixture.store.exam(fixture.examID)?.grants?.shares.count == 12)
    }
}
