import Domain
import Testing

@testable import ExamStore

@Suite("Whose sheet it is, as a person says")
struct ReviewedStudentTests {
    @Test("An unclear number is settled by the number, and later pages find the sheet by it")
    func number() async throws {
        let fixture = try await StoreFixture(pages: 2)
        let first = try await fixture.marked("a", student: nil, page: 1)
        let taken = try #require(try await fixture.take("li"))
        #expect(taken.review.id.parts?.target == .studentID)
        try await fixture.settle(taken, by: "li", content: .student("7777"))
        #expect(try await fixture.sheet(first).flags == [.missingPages])
        #expect(try await fixture.sheet(first).status == .recognized)
        #expect(try await fixture.read(try await fixture.upload("b"), page: 2, student: "7777") == first)
        try await fixture.mark(first)
        let sheet = try await fixture.sheet(first)
        #expect(sheet.status == .graded)
        #expect(sheet.studentID == "7777")
        try await fixture.expectConsistentReviews()
        try await fixture.expectConsistentLists()
        try await fixture.tellAnalytics()
        try await fixture.expectStatisticsOfSheets()
    }

    @Test("Pages of a student whose other pages are there are joined to them, with the marks people gave")
    func joined() async throws {
        let fixture = try await StoreFixture(pages: 2)
        let first = try await fixture.marked("a", student: "7777", page: 1)
        let second = try await fixture.marked("b", student: nil, page: 2, flags: [.faint])
        let question = try #require(try await fixture.take("li", [.question(2)]))
        try await fixture.settle(question, by: "li", score: 0.5)
        let taken = try #require(try await fixture.take("li"))
        try await fixture.settle(taken, by: "li", content: .student("7777"))
        let left = try await fixture.sheet(second)
        #expect(left.joinedTo == first)
        #expect(left.pages.isEmpty)
        #expect(try await fixture.count(OCRCompleted.self) == 3)
        try await fixture.mark(first)
        let sheet = try await fixture.sheet(first)
        #expect(sheet.status == .graded)
        #expect(sheet.marks.map(\.score) == [2, 0.5])
        #expect(sheet.marks.map(\.by) == ["machine", "li"])
        try await fixture.expectConsistentReviews()
        try await fixture.expectConsistentLists()
        try await fixture.tellAnalytics()
        try await fixture.expectStatisticsOfSheets()
    }

    @Test("A student's page on another sheet is refused, and a second scan of it is put aside")
    func taken() async throws {
        let fixture = try await StoreFixture()
        let first = try await fixture.marked("a", student: "7777")
        let second = try await fixture.marked("b", student: nil, flags: [.faint])
        let taken = try #require(try await fixture.take("li", [.studentID]))
        await #expect { try await fixture.settle(taken, by: "li", content: .student("7777")) } throws: {
            ($0 as? ExamStoreError)?.code == .studentTaken
        }
        await #expect { try await fixture.settle(taken, by: "li", content: .discard("1111")) } throws: {
            ($0 as? ExamStoreError)?.code == .studentTaken
        }
        try await fixture.settle(taken, by: "li", content: .discard("7777"))
        #expect(try await fixture.sheet(second).joinedTo == first)
        #expect(try await fixture.sheets().map(\.id) == [first])
        // Nothing else is asked about it.
        #expect(try await fixture.reviews().map(\.review.id) == [taken.review.id])
        try await fixture.expectConsistentReviews()
        try await fixture.expectConsistentLists()
        try await fixture.tellAnalytics()
        try await fixture.expectStatisticsOfSheets()
    }

    @Test("Of two sheets of one student either is kept: the first that is decided, or both when one is another's")
    func twins() async throws {
        for (isOther, isSecondFirst) in [(false, false), (false, true), (true, true)] {
            let fixture = try await StoreFixture()
            let first = try await fixture.marked("a", student: "7777", answer: "A")
            let second = try await fixture.marked("b", student: "7777", answer: "B")
            #expect(try await fixture.reviews().count == 2)
            let ids = [first, second].map { ReviewID($0, .studentID) }
            let order = isSecondFirst ? [ids[1], ids[0]] : ids
            let one = try await fixture.store.takeReview(order[0], for: "li", lease: .seconds(60))
            try await fixture.settle(one, by: "li", content: .student(isOther ? "8888" : "7777"))
            let other = try await fixture.store.takeReview(order[1], for: "li", lease: .seconds(60))
            if isOther {
                try await fixture.settle(other, by: "li", content: .student("7777"))
                #expect(try await fixture.sheets().map(\.studentID) == ["7777", "8888"])
            } else {
                await #expect { try await fixture.settle(other, by: "li", content: .student("7777")) } throws: {
                    ($0 as? ExamStoreError)?.code == .studentTaken
                }
                try await fixture.settle(other, by: "li", content: .discard("7777"))
                #expect(try await fixture.sheets().map(\.id) == [isSecondFirst ? second : first])
            }
            #expect(try await fixture.sheets().allSatisfy { $0.status == .graded && $0.flags.isEmpty })
            try await fixture.expectConsistentReviews()
            try await fixture.expectConsistentLists()
            try await fixture.tellAnalytics()
            try await fixture.expectStatisticsOfSheets()
        }
    }
}
