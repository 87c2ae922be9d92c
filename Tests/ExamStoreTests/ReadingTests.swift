import Domain
import Testing

@testable import ExamStore

@Suite("Sheets and what is read on them")
struct ReadingTests {
    @Test("The same image uploaded again, also at once, is the same sheet with one event")
    func sameImage() async throws {
        let fixture = try await StoreFixture()
        try await concurrently(Array(0..<16)) { _ in _ = try await fixture.upload("a") }
        let id = try await fixture.upload("a")
        let other = try await fixture.store.addSheet(
            exam: fixture.examID, blob: fixture.sheet(id).pages[0].blob, file: "a.pdf", filePage: 2,
            context: StoreFixture.context)
        #expect(other.isNew)
        #expect(other.sheetID != id)
        #expect(try await fixture.count(SheetUploaded.self) == 2)
        #expect(try await fixture.sheets().map(\.id) == [id, other.sheetID])
        try await fixture.expectConsistentLists()
    }

    @Test("Sheets are listed in order of upload, page by page")
    func order() async throws {
        let fixture = try await StoreFixture()
        var ids: [SheetID] = []
        for number in 0..<20 { ids.append(try await fixture.upload("s\(number)-")) }
        for id in ids.reversed() { try await fixture.read(id, student: nil) }
        #expect(try await fixture.sheets().map(\.id) == ids)
        #expect(try await fixture.sheets(.recognized).map(\.id) == ids)
        try await fixture.expectConsistentLists()
    }

    @Test("A page that was read keeps its reading, and is told once")
    func readOnce() async throws {
        let fixture = try await StoreFixture()
        let id = try await fixture.upload("a")
        #expect(try await fixture.read(id, student: "0001", answer: "A") == id)
        #expect(try await fixture.read(id, student: "0002", answer: "B") == id)
        let sheet = try await fixture.sheet(id)
        #expect(sheet.studentID == "0001")
        #expect(sheet.status == .recognized)
        #expect(sheet.readingVersion == 1)
        #expect(sheet.flags.isEmpty)
        #expect(!sheet.needsReview)
        #expect(try await fixture.count(OCRCompleted.self) == 1)
    }

    @Test("Pages of one student become one sheet in whatever order they are read", arguments: 0..<6)
    func joining(_ permutation: Int) async throws {
        let orders = [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]]
        let fixture = try await StoreFixture(pages: 3)
        var ids: [Int: SheetID] = [:]
        for page in 1...3 { ids[page] = try await fixture.upload("p\(page)") }
        let order = orders[permutation]
        let first = try #require(ids[order[0]])
        for (step, page) in order.enumerated() {
            #expect(try await fixture.read(try #require(ids[page]), page: page, student: "0001") == first)
            let sheet = try await fixture.sheet(first)
            #expect(sheet.readingVersion == step + 1)
            #expect(sheet.flags == (step < 2 ? [.missingPages] : []))
            try await fixture.expectConsistentLists()
        }
        let sheet = try await fixture.sheet(first)
        #expect(sheet.pages.map(\.number) == [1, 2, 3])
        #expect(Set(sheet.fields.keys) == ["student_id", "q1", "q2", "q3"])
        for page in order.dropFirst() {
            let joined = try await fixture.sheet(try #require(ids[page]))
            #expect(joined.joinedTo == first)
            #expect(joined.pages.isEmpty)
        }
        let events = try await fixture.events(OCRCompleted.self)
        #expect(events.map(\.readingVersion) == [1, 2, 3])
        #expect(events.allSatisfy { $0.sheetID == first })
        #expect(events.map(\.uploadedAs) == order.map { ids[$0] })
        // Told again, each finds where its page went.
        for page in 1...3 {
            #expect(try await fixture.read(try #require(ids[page]), page: page, student: "0001") == first)
        }
        #expect(try await fixture.count(OCRCompleted.self) == 3)
    }

    @Test("32 concurrent readers of 16 pages of one student end with one sheet of 16 pages")
    func concurrentJoining() async throws {
        let fixture = try await StoreFixture(pages: 16)
        var ids: [SheetID] = []
        for page in 1...16 { ids.append(try await fixture.upload("p\(page)-")) }
        try await concurrently(Array(0..<32)) { [ids] number in
            let page = number % 16 + 1
            try await fixture.read(ids[page - 1], page: page, student: "0001")
        }
        let all = try await fixture.sheets()
        #expect(all.count == 1)
        let sheet = try await fixture.sheet(try #require(all.first).id)
        #expect(sheet.pages.map(\.number) == Array(1...16))
        #expect(sheet.readingVersion == 16)
        #expect(sheet.flags.isEmpty)
        #expect(try await fixture.count(OCRCompleted.self) == 16)
        try await fixture.expectConsistentLists()
    }

    @Test("Two sheets with the same page of a student both say so, also when one was marked before")
    func duplicates() async throws {
        let fixture = try await StoreFixture()
        let (first, second, third) = (
            try await fixture.upload("a"), try await fixture.upload("b"), try await fixture.upload("c")
        )
        try await fixture.read(first, student: "0001")
        try await fixture.mark(first)
        #expect(try await fixture.sheet(first).status == .graded)
        #expect(try await fixture.read(second, student: "0001", answer: "C") == second)
        for id in [first, second] {
            let sheet = try await fixture.sheet(id)
            #expect(sheet.flags == [.duplicatePage])
            #expect(sheet.needsReview)
            #expect(sheet.studentID == "0001")
        }
        #expect(try await fixture.sheet(first).status == .review)
        try await fixture.expectConsistentLists()
        try await fixture.read(third, student: "0001")
        try await fixture.mark(second)
        try await fixture.mark(third)
        for id in [first, second, third] {
            #expect(try await fixture.sheet(id).status == .review)
        }
        // One request for the first when its twin came, one for each of the others when it was marked.
        #expect(try await fixture.events(ReviewRequested.self).map(\.sheetID) == [first, second, third])
        try await fixture.expectConsistentLists()
    }

    @Test("A marked sheet that still misses a page goes to people when a duplicate of it turns up")
    func duplicateOfIncomplete() async throws {
        let fixture = try await StoreFixture(pages: 2)
        let (first, second) = (try await fixture.upload("a"), try await fixture.upload("b"))
        try await fixture.read(first, student: "0001")
        try await fixture.mark(first)
        #expect(try await fixture.sheet(first).status == .recognized)
        try await fixture.read(second, student: "0001")
        try await fixture.mark(second)
        for id in [first, second] {
            let sheet = try await fixture.sheet(id)
            #expect(Set(sheet.flags) == [.duplicatePage, .missingPages])
            #expect(sheet.status == .review)
        }
        #expect(Set(try await fixture.events(ReviewRequested.self).map(\.sheetID)) == [first, second])
        let rest = try await fixture.upload("c")
        #expect(try await fixture.read(rest, page: 2, student: "0001") == first)
        #expect(try await fixture.sheet(first).flags == [.duplicatePage])
        try await fixture.expectConsistentLists()
    }

    @Test("A page whose student is in doubt stays alone and goes to people, however many pages there are")
    func unclearStudent() async throws {
        let fixture = try await StoreFixture(pages: 2)
        let ids = [
            try await fixture.upload("a"), try await fixture.upload("b"), try await fixture.upload("c"),
            try await fixture.upload("d"),
        ]
        try await fixture.read(ids[0], page: 1, student: nil)
        try await fixture.read(ids[1], page: 2, student: nil)
        try await fixture.read(ids[2], page: 1, student: "123")
        try await fixture.read(ids[3], page: 2, student: "12?4")
        for id in ids {
            #expect(try await fixture.mark(id))
            let sheet = try await fixture.sheet(id)
            #expect(sheet.flags == [.studentUnclear, .missingPages])
            #expect(sheet.status == .review)
            #expect(sheet.pages.count == 1)
        }
        #expect(try await fixture.count(ReviewRequested.self) == 4)
        try await fixture.expectConsistentLists()
    }

    @Test(
        "A student is certain only when nothing speaks against it",
        arguments: [
            ("0001", [], nil, "0001", "0001"), ("001", [], nil, "001", nil), ("0001", [.faint], nil, "0001", nil),
            ("00?1", [], nil, "00?1", nil), ("", [.blank], nil, nil, nil), ("", [.blank], "7777", "7777", "7777"),
            ("7777", [], "7777", "7777", "7777"), ("0001", [], "7777", "7777", nil), ("0001", [], "", "0001", "0001"),
            ("", [], "", nil, nil),
        ] as [(String, [FieldFlag], String?, String?, String?)])
    func studentNumber(
        _ grid: String, _ flags: [FieldFlag], _ coded: String?, _ value: String?, _ certain: String?
    ) {
        let reading = PageReading(
            page: 1, codedStudent: coded, fields: ["student_id": FieldReading(value: grid, confidence: 1, flags: flags)]
        )
        let number = StudentNumber(reading: reading, digits: 4)
        #expect(number.value == value)
        #expect(number.certain == certain)
    }

    @Test("A page that cannot be read fails alone, is told once, and is read when tried again")
    func failure() async throws {
        let fixture = try await StoreFixture()
        let (id, other) = (try await fixture.upload("a"), try await fixture.upload("b"))
        try await concurrently(Array(0..<8)) { _ in try await fixture.fail(id) }
        #expect(try await fixture.sheet(id).status == .failed)
        #expect(try await fixture.sheet(id).error?.code == .damagedImage)
        #expect(try await fixture.sheet(other).status == .uploaded)
        #expect(try await fixture.count(OCRFailed.self) == 1)
        #expect(try await !fixture.mark(id), "a page that was not read has no marks")
        try await fixture.expectConsistentLists()
        try await fixture.read(id, student: "0001")
        try await fixture.fail(id)
        let sheet = try await fixture.sheet(id)
        #expect(sheet.status == .recognized)
        #expect(sheet.error == nil)
        #expect(!sheet.needsReview)
        #expect(try await fixture.count(OCRFailed.self) == 1)
        try await fixture.expectConsistentLists()
    }

    @Test("A page that failed before joins its student's sheet when it is read, and failing again changes nothing")
    func failedThenJoined() async throws {
        let fixture = try await StoreFixture(pages: 2)
        let (first, second) = (try await fixture.upload("a"), try await fixture.upload("b"))
        try await fixture.fail(second)
        try await fixture.read(first, page: 1, student: "0001")
        #expect(try await fixture.read(second, page: 2, student: "0001") == first)
        try await fixture.fail(second)
        try await fixture.fail(first)
        #expect(try await fixture.sheet(second).joinedTo == first)
        #expect(try await fixture.sheets(.failed).isEmpty)
        #expect(try await fixture.sheets().map(\.id) == [first])
        #expect(try await fixture.count(OCRFailed.self) == 1)
        try await fixture.expectConsistentLists()
    }

    @Test("What does not exist is told so")
    func missing() async throws {
        let fixture = try await StoreFixture()
        for id: SheetID in [SheetID(exam: fixture.examID, unique: "none"), "unknown.none", "hostile", "a.{p0}"] {
            let error = await #expect(throws: ExamStoreError.self) { try await fixture.read(id, student: "0001") }
            #expect(error?.code == .notFound)
            await #expect(throws: ExamStoreError.self) { try await fixture.fail(id) }
            #expect(try await fixture.store.sheet(id) == nil)
        }
        #expect(try await fixture.events().count == 1)
    }
}
