import Domain
import Testing

@testable import ExamStore

@Suite("Pages whose student number is in doubt")
struct DoubtfulStudentTests {
    private static func doubtful(_ value: String, page: Int) -> PageReading {
        PageReading(
            page: page,
            fields: [
                "student_id": FieldReading(value: value, confidence: 0.5, flags: [.uncertain]),
                "q\(page)": FieldReading(value: "A", confidence: 1),
            ])
    }

    @Test(
        "A page joins the only sheet it can belong to, whichever is read first, and people confirm it", arguments: 0..<8
    )
    func onlySheet(_ order: Int) async throws {
        let fixture = try await StoreFixture(pages: 2)
        let (sure, doubtful) = (try await fixture.upload("a"), try await fixture.upload("b"))
        let reading = Self.doubtful("1?34", page: 2)
        // 0 and 1 one after the other, the rest at once: neither may miss the other.
        if order == 0 { try await fixture.read(sure, page: 1, student: "1234") }
        if order == 1 { _ = try await fixture.store.record(reading, of: doubtful, context: StoreFixture.context) }
        try await concurrently([true, false]) { isSure in
            if isSure {
                try await fixture.read(sure, page: 1, student: "1234")
            } else {
                _ = try await fixture.store.record(reading, of: doubtful, context: StoreFixture.context)
            }
        }
        let all = try await fixture.sheets()
        let sheet = try await fixture.sheet(try #require(all.first).id)
        #expect(all.count == 1)
        #expect(sheet.pages.map(\.number) == [1, 2])
        #expect(sheet.studentID == "1234")
        #expect(sheet.flags == [.studentUnclear])
        #expect(try await fixture.count(OCRCompleted.self) == 2)
        try await fixture.mark(sheet.id)
        #expect(try await fixture.sheet(sheet.id).status == .review)
        try await fixture.expectConsistentLists()
    }

    @Test("A page that fits two sheets, or none, or one that has the page, stays alone")
    func alone() async throws {
        let fixture = try await StoreFixture(pages: 2)
        for (name, student) in [("a", "1234"), ("b", "1834")] {
            try await fixture.read(try await fixture.upload(name), page: 1, student: student)
        }
        for (name, value, page) in [("c", "1?34", 2), ("d", "9?99", 2), ("e", "12?4", 1), ("f", "1???", 2)] {
            let id = try await fixture.upload(name)
            let reading = Self.doubtful(value, page: page)
            #expect(try await fixture.store.record(reading, of: id, context: StoreFixture.context) == id, "\(name)")
            #expect(try await fixture.sheet(id).flags == [.studentUnclear, .missingPages])
        }
        try await fixture.expectConsistentLists()
    }
}
