import Domain
import Testing

@testable import ExamStore

/// Readings, failures, marks and new keys in any order and from many at once, against a simple model: which page is
/// whose does not depend on the order.
@Suite("What holds in every order")
struct StorePropertyTests {
    private struct Page: Sendable {
        let id: SheetID
        /// nil when the number is in doubt.
        let student: String?
        let number: Int
        let answer: String
    }

    private enum Step: Sendable {
        case read(Page)
        case fail(SheetID)
        case mark(SheetID)
        case key(String)
    }

    @Test("No page is lost or doubled, and every score is that of its pages", arguments: 0..<25)
    func anyOrder(_ round: Int) async throws {
        let fixture = try await StoreFixture(pages: 3)
        var pages: [Page] = []
        for number in 0..<14 {
            pages.append(
                Page(
                    id: try await fixture.upload("r\(round)-\(number)-"),
                    student: Int.random(in: 0..<6) == 0 ? nil : String(1000 + Int.random(in: 0..<4)),
                    number: Int.random(in: 1...3), answer: ["A", "B", "C", "D"].randomElement()!))
        }
        let steps =
            pages.flatMap { [Step.read($0), .read($0), .mark($0.id), .mark($0.id), .mark($0.id)] }
            + pages.filter { _ in Bool.random() }.map { .fail($0.id) } + ["B", "C", "A"].map { .key($0) }
        let shuffled = steps.shuffled()
        try await concurrently(Array(0..<8)) { worker in
            for index in stride(from: worker, to: shuffled.count, by: 8) {
                try await Self.run(shuffled[index], fixture)
            }
        }
        for sheet in try await fixture.sheets() { try await fixture.mark(sheet.id) }
        try await expectModel(fixture, pages)
        try await expectEvents(fixture, pages)
        try await fixture.expectConsistentLists()
    }

    private static func run(_ step: Step, _ fixture: StoreFixture) async throws {
        switch step {
        case .read(let page):
            try await fixture.read(page.id, page: page.number, student: page.student, answer: page.answer)
        case .fail(let id): try await fixture.fail(id)
        case .mark(let id): try await fixture.mark(id)
        case .key(let key): try await fixture.changeKey(to: key)
        }
    }

    private func expectModel(_ fixture: StoreFixture, _ pages: [Page]) async throws {
        let exam = try #require(try await fixture.store.exam(fixture.examID))
        let key = try #require(exam.questions[0].answer)
        var sheets: [Sheet] = []
        for summary in try await fixture.sheets() { sheets.append(try await fixture.sheet(summary.id)) }
        let files = sheets.flatMap(\.pages).map(\.file)
        #expect(Set(files).count == pages.count)
        #expect(files.count == pages.count)

        let students = Dictionary(grouping: pages, by: \.student)
        for (student, own) in students {
            guard let student else { continue }
            let found = sheets.filter { $0.studentID == student && !$0.flags.contains(.studentUnclear) }
            let numbers = Set(own.map(\.number))
            // The first sheet takes one of each page; what comes again stands alone.
            #expect(found.count == 1 + own.count - numbers.count)
            #expect(found.map(\.pages.count).max() == numbers.count)
            let isDoubled = own.count > numbers.count
            #expect(found.contains { $0.flags.contains(.duplicatePage) } == isDoubled)
        }
        #expect(sheets.count { $0.flags.contains(.studentUnclear) } == students[nil]?.count ?? 0)
        for sheet in sheets {
            let numbers = sheet.pages.compactMap(\.number)
            #expect(Set(numbers).count == numbers.count)
            #expect(sheet.flags.contains(.missingPages) == (numbers.count < 3))
            #expect(sheet.keyVersion == exam.keyVersion)
            #expect(sheet.readingVersion == numbers.count)
            let right = numbers.count { sheet.fields["q\($0)"]?.value == key }
            #expect(sheet.score == Double(right) * 2)
            let isForPeople = sheet.flags.contains(.studentUnclear) || sheet.flags.contains(.duplicatePage)
            #expect(sheet.status == (isForPeople ? .review : numbers.count < 3 ? .recognized : .graded))
        }
        for page in pages {
            let sheet = try await fixture.sheet(page.id)
            let owner = try await fixture.sheet(sheet.joinedTo ?? page.id)
            #expect(owner.pages.contains { $0.reading?.fields["q\(page.number)"]?.value == page.answer })
        }
    }

    private func expectEvents(_ fixture: StoreFixture, _ pages: [Page]) async throws {
        let read = try await fixture.events(OCRCompleted.self)
        #expect(Set(read.map(\.uploadedAs)) == Set(pages.map(\.id)))
        #expect(read.count == pages.count)
        let failed = try await fixture.events(OCRFailed.self)
        #expect(Set(failed.map(\.sheetID)).count == failed.count)
        let marked = try await fixture.events(GradingCompleted.self)
        let versions = marked.map { [$0.sheetID.rawValue, "\($0.readingVersion)", "\($0.keyVersion)"] }
        #expect(Set(versions).count == versions.count)
        #expect(try await fixture.store.resultsVersion(exam: fixture.examID) == marked.count)
        // The last event about a sheet says what its record says.
        let last = Dictionary(marked.map { ($0.sheetID, $0) }, uniquingKeysWith: { $1 })
        for summary in try await fixture.sheets() {
            #expect(last[summary.id]?.score == summary.score)
            #expect(last[summary.id]?.keyVersion == summary.keyVersion)
        }
    }
}
