import Domain
import Testing

@testable import ExamStore

@Suite("Marks")
struct MarkTests {
    @Test("Marks of a reading and a key are recorded and told once, whoever comes")
    func once() async throws {
        let fixture = try await StoreFixture()
        let id = try await fixture.upload("a")
        try await fixture.read(id, student: "0001")
        let marks = [Mark(question: 1, score: 2, max: 2)]
        let recorded = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<16 {
                group.addTask {
                    try await fixture.store.record(
                        marks, of: id, readingVersion: 1, keyVersion: 1, context: StoreFixture.context)
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(recorded == 1)
        let sheet = try await fixture.sheet(id)
        #expect(sheet.status == .graded)
        #expect(sheet.score == 2)
        #expect(sheet.marks == marks)
        let events = try await fixture.events(GradingCompleted.self)
        #expect(events.count == 1)
        #expect(events[0].score == 2)
        #expect(events[0].status == .graded)
        #expect(events[0].studentID == "0001")
        #expect(try await fixture.store.resultsVersion(exam: fixture.examID) == 1)
        try await fixture.expectConsistentLists()
    }

    @Test("Marks of a former reading, a former key or no reading are refused")
    func refused() async throws {
        let fixture = try await StoreFixture(pages: 2)
        let (first, second) = (try await fixture.upload("a"), try await fixture.upload("b"))
        let marks = [Mark(question: 1, score: 2, max: 2), Mark(question: 2, score: 2, max: 2)]
        func record(_ id: SheetID, reading: Int, key: Int) async throws -> Bool {
            try await fixture.store.record(
                marks, of: id, readingVersion: reading, keyVersion: key, context: StoreFixture.context)
        }
        #expect(try await !record(first, reading: 0, key: 1))
        try await fixture.read(first, page: 1, student: "0001")
        try await fixture.read(second, page: 2, student: "0001")
        #expect(try await !record(first, reading: 1, key: 1))
        #expect(try await !record(first, reading: 3, key: 1))
        #expect(try await !record(second, reading: 0, key: 1), "it was joined to the first")
        let exam = try await fixture.changeKey(to: "B")
        #expect(try await !record(first, reading: 2, key: 1))
        #expect(try await !record(first, reading: 2, key: exam.keyVersion + 1))
        #expect(try await fixture.sheet(first).marks.isEmpty)
        #expect(try await fixture.count(GradingCompleted.self) == 0)
        #expect(try await record(first, reading: 2, key: exam.keyVersion))
    }

    @Test("A sheet is marked again when another of its pages is read, and by another key")
    func again() async throws {
        let fixture = try await StoreFixture(pages: 2)
        let (first, second) = (try await fixture.upload("a"), try await fixture.upload("b"))
        try await fixture.read(first, page: 1, student: "0001")
        try await fixture.mark(first)
        #expect(try await fixture.sheet(first).status == .recognized)
        #expect(try await fixture.sheet(first).score == 2)
        try await fixture.read(second, page: 2, student: "0001", answer: "B")
        #expect(try await fixture.sheet(first).status == .recognized)
        try await fixture.mark(first)
        #expect(try await fixture.sheet(first).status == .graded)
        try await fixture.changeKey(to: "B", points: 3)
        try await fixture.mark(first)
        let sheet = try await fixture.sheet(first)
        #expect(sheet.marks.map(\.score) == [0, 3])
        #expect(sheet.maxScore == 6)
        let events = try await fixture.events(GradingCompleted.self)
        #expect(events.map(\.score) == [2, 2, 3])
        #expect(events.map(\.readingVersion) == [1, 2, 2])
        #expect(events.map(\.keyVersion) == [1, 1, 2])
        #expect(try await fixture.store.resultsVersion(exam: fixture.examID) == 3)
        try await fixture.expectConsistentLists()
    }

    @Test("Doubtful marks go to people", arguments: [FieldFlag.multiple, .faint, .erased, .unreadable, .uncertain])
    func review(_ flag: FieldFlag) async throws {
        let fixture = try await StoreFixture()
        let id = try await fixture.upload("a")
        try await fixture.read(id, student: "0001", flags: [flag])
        #expect(try await fixture.sheet(id).needsReview)
        try await fixture.mark(id)
        #expect(try await fixture.sheet(id).status == .review)
        let requests = try await fixture.events(ReviewRequested.self)
        #expect(requests.map(\.questions) == [[1]])
        try await fixture.expectConsistentLists()
    }

    @Test("A blank answer needs nobody")
    func blank() async throws {
        let fixture = try await StoreFixture()
        let id = try await fixture.upload("a")
        try await fixture.read(id, student: "0001", answer: "", flags: [.blank])
        try await fixture.mark(id)
        #expect(try await fixture.sheet(id).status == .graded)
        #expect(try await fixture.count(ReviewRequested.self) == 0)
    }

    @Test("What a person decided stays when the machine marks again, and is looked at when its points changed")
    func decided() {
        var sheet = Sheet(
            id: "e.s", examID: "e", status: .graded, pages: [], maxScore: 8,
            marks: [
                Mark(question: 1, score: 1.5, max: 2, by: "wang"), Mark(question: 2, score: 4, max: 5, by: "wang"),
                Mark(question: 3, score: 1, max: 1),
            ], correlationID: "c", uploadedBy: "li", uploadedAt: .now, readingVersion: 1)
        let new = [
            Mark(question: 1, score: 0, max: 2), Mark(question: 2, score: 0, max: 3),
            Mark(question: 3, score: 0, max: 1),
        ]
        sheet.settleMarks(new, maxScore: 6, keyVersion: 2)
        #expect(sheet.marks.map(\.score) == [1.5, 4, 0])
        #expect(sheet.marks.map(\.by) == ["wang", "wang", "machine"])
        #expect(sheet.marks.map(\.max) == [2, 3, 1])
        #expect(sheet.marks.map(\.needsReview) == [false, true, false])
        #expect(sheet.status == .review)
        #expect(sheet.score == 5.5)
        #expect(sheet.keyVersion == 2)
        #expect(sheet.isMarked)
    }

    @Test("32 concurrent writers on one sheet leave it consistent, with one event for each change")
    func manyWriters() async throws {
        let fixture = try await StoreFixture(pages: 4)
        var ids: [SheetID] = []
        for page in 1...4 { ids.append(try await fixture.upload("p\(page)-")) }
        try await concurrently(Array(0..<32)) { [ids] number in
            switch number % 8 {
            case 0..<4: try await fixture.read(ids[number % 4], page: number % 4 + 1, student: "0001")
            case 4: try await fixture.fail(ids[number % 4])
            case 5: try await fixture.changeKey(to: ["A", "B", "C", "D"][number / 8])
            default: for id in ids { try await fixture.mark(id) }
            }
        }
        let all = try await fixture.sheets().filter { $0.status != .failed }
        let id = try #require(all.first).id
        try await fixture.mark(id)
        let exam = try #require(try await fixture.store.exam(fixture.examID))
        let sheet = try await fixture.sheet(id)
        #expect(all.count == 1)
        #expect(sheet.pages.map(\.number) == [1, 2, 3, 4])
        #expect(sheet.readingVersion == 4)
        #expect(sheet.marks == StoreFixture.marks(of: sheet, by: exam))
        #expect(sheet.keyVersion == exam.keyVersion)
        #expect(try await fixture.count(OCRCompleted.self) == 4)
        #expect(try await fixture.count(ExamUpdated.self) == exam.version - 1)
        let events = try await fixture.events(GradingCompleted.self)
        #expect(
            Set(events.map { [$0.sheetID.rawValue, "\($0.readingVersion)", "\($0.keyVersion)"] }).count == events.count)
        #expect(try await fixture.store.resultsVersion(exam: fixture.examID) == events.count)
        try await fixture.expectConsistentLists()
    }
}
