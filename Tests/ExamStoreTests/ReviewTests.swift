import Domain
import Testing

@testable import EventBus
@testable import ExamStore

@Suite("Reviews")
struct ReviewTests {
    @Test(
        "A doubtful mark becomes a review, and what a person says about it a mark, with its history, figures and events"
    )
    func settled() async throws {
        let fixture = try await StoreFixture()
        let sheet = try await fixture.marked("a", student: "0001", flags: [.multiple])
        try await fixture.marked("b", student: "0002")
        let taken = try #require(try await fixture.take("wang"))
        #expect(taken.review.id == ReviewID(sheet, .question(1)))
        #expect(taken.review.reasons == ["multiple"])
        #expect(taken.status == .leased)
        #expect(try await fixture.take("zhao") == nil)
        try await fixture.settle(taken, by: "wang", score: 0.5, comment: "two crosses")

        let after = try await fixture.sheet(sheet)
        #expect(after.status == .graded)
        #expect(after.score == 0.5)
        #expect(!after.needsReview)
        #expect(after.marks == [Mark(question: 1, score: 0.5, max: 2, by: "wang")])
        let review = try #require(try await fixture.store.review(taken.review.id))
        #expect(review.status == .settled)
        #expect(review.review.history.map(\.by) == ["machine", "wang"])
        #expect(review.review.history.map(\.score) == [2, 0.5])
        #expect(review.review.history[1].comment == "two crosses")
        let events = try await fixture.events(GradingReviewed.self)
        #expect(events.map(\.question) == [1])
        #expect(events[0].oldScore == 2)
        #expect(events[0].newScore == 0.5)
        #expect(events[0].status == .graded)
        #expect(try await fixture.store.resultsVersion(exam: fixture.examID) == 3)
        try await fixture.expectConsistentLists()
        try await fixture.expectConsistentReviews()
        try await fixture.tellAnalytics()
        try await fixture.expectStatisticsOfSheets()
    }

    @Test("The same decision sent again is made once and answered alike; another is refused")
    func again() async throws {
        let fixture = try await StoreFixture()
        try await fixture.marked("a", student: "0001", flags: [.faint])
        let taken = try #require(try await fixture.take("wang"))
        let first = try await fixture.settle(taken, by: "wang")
        let second = try await fixture.settle(taken, by: "wang")
        #expect(first.review == second.review)
        #expect(try await fixture.count(GradingReviewed.self) == 1)
        await #expect { try await fixture.settle(taken, by: "wang", score: 2) } throws: {
            ($0 as? ExamStoreError)?.code == .settled
        }
        await #expect { try await fixture.settle(taken, by: "zhao") } throws: {
            ($0 as? ExamStoreError)?.code == .settled
        }
        try await fixture.expectConsistentReviews()
    }

    @Test("A review whose lease has ended goes to the next before all others, and who had it is too late")
    func expired() async throws {
        let fixture = try await StoreFixture()
        for number in 0..<3 { try await fixture.marked("a\(number)-", student: "000\(number)", flags: [.faint]) }
        let first = try #require(try await fixture.take("wang", lease: .milliseconds(1)))
        // Until it has ended, the server's clock is the only one that counts.
        while try await fixture.store.review(first.review.id)?.isLeased == true {}
        let second = try #require(try await fixture.take("zhao"))
        #expect(second.review.id == first.review.id)
        #expect(try #require(second.lease).fence > #require(first.lease).fence)
        await #expect { try await fixture.settle(first, by: "wang") } throws: {
            ($0 as? ExamStoreError)?.code == .leaseLost
        }
        #expect(try await fixture.sheet(try #require(first.review.id.parts).sheet).marks[0].by == "machine")
        try await fixture.settle(second, by: "zhao")
        let third = try #require(try await fixture.take("wang", lease: .milliseconds(1)))
        // Nobody has taken it meanwhile, so no work is lost.
        while try await fixture.store.review(third.review.id)?.isLeased == true {}
        try await fixture.settle(third, by: "wang")
        try await fixture.expectConsistentReviews()
    }

    @Test("A lease is kept for longer by who has it, refused to others, and given back to its place")
    func lease() async throws {
        let fixture = try await StoreFixture()
        for number in 0..<2 { try await fixture.marked("a\(number)-", student: "000\(number)", flags: [.faint]) }
        let taken = try #require(try await fixture.take("wang", lease: .seconds(60)))
        let id = taken.review.id
        let kept = try await fixture.store.takeReview(id, for: "wang", lease: .seconds(600))
        #expect(kept.lease?.fence == taken.lease?.fence)
        #expect(try #require(kept.lease).expiresAt > #require(taken.lease).expiresAt)
        for attempt in [0, 1] {
            await #expect {
                if attempt == 0 {
                    _ = try await fixture.store.takeReview(id, for: "zhao", lease: .seconds(60))
                } else {
                    try await fixture.store.releaseReview(id, by: "zhao")
                }
            } throws: {
                ($0 as? ExamStoreError)?.code == .leaseLost
            }
        }
        try await fixture.store.releaseReview(id, by: "wang")
        try await fixture.store.releaseReview(id, by: "wang")
        #expect(try await fixture.take("zhao")?.review.id == id)
        try await fixture.expectConsistentReviews()
    }

    @Test("What is assigned to somebody comes to that user first and to nobody else, until it is taken back")
    func assigned() async throws {
        let fixture = try await StoreFixture()
        for number in 0..<3 { try await fixture.marked("a\(number)-", student: "000\(number)", flags: [.faint]) }
        let ids = try await fixture.reviews().map(\.review.id)
        let lost = try #require(try await fixture.take("zhao"))
        #expect(lost.review.id == ids[0])
        for id in [ids[0], ids[2]] {
            _ = try await fixture.store.assignReview(id, to: "wang", context: StoreFixture.context) { _ in }
        }
        await #expect { try await fixture.settle(lost, by: "zhao") } throws: {
            ($0 as? ExamStoreError)?.code == .leaseLost
        }
        #expect(try await fixture.take("zhao")?.review.id == ids[1])
        #expect(try await fixture.take("zhao") == nil)
        #expect(try await fixture.take("wang")?.review.id == ids[0])
        try await fixture.expectConsistentReviews()
        try await fixture.store.takeBackReviews(exam: fixture.examID) { _, user, _ in user != "wang" }
        #expect(try await fixture.take("zhao")?.review.id == ids[0])
        #expect(try await fixture.take("zhao")?.review.id == ids[2])
        try await fixture.expectConsistentReviews()
    }

    @Test("Marking again takes back what nobody needs to decide, and asks again about what has other points")
    func remarked() async throws {
        let fixture = try await StoreFixture(pages: 2)
        let first = try await fixture.upload("a")
        try await fixture.read(first, page: 1, student: "0001", flags: [.faint])
        try await fixture.read(try await fixture.upload("b"), page: 2, student: "0001", flags: [.faint])
        try await fixture.mark(first)
        let taken = try #require(try await fixture.take("wang", [.question(1)]))
        try await fixture.settle(taken, by: "wang", score: 1.5)
        try await fixture.changeKey(to: "B")
        try await fixture.mark(first)
        #expect(try await fixture.sheet(first).marks.map(\.by) == ["wang", "machine"])
        #expect(try await fixture.reviews(.settled).count == 1)
        #expect(try await fixture.reviews(.open).count == 1)

        try await fixture.changeKey(to: "B", points: 3)
        try await fixture.mark(first)
        #expect(try await fixture.reviews(.open).map(\.review.id.parts?.target) == [.question(1), .question(2)])
        #expect(try await fixture.sheet(first).marks[0].score == 1.5)
        let again = try #require(try await fixture.take("wang", [.question(1)]))
        #expect(again.review.wasDecided)
        try await fixture.settle(again, by: "wang", score: 2.5)
        #expect(try await fixture.sheet(first).marks[0] == Mark(question: 1, score: 2.5, max: 3, by: "wang"))
        try await fixture.expectConsistentReviews()
    }

    @Test("An answer that a person read is marked by every later key")
    func readByAPerson() async throws {
        let fixture = try await StoreFixture()
        let sheet = try await fixture.marked("a", student: "0001", answer: "A", flags: [.multiple])
        let taken = try #require(try await fixture.take("wang"))
        try await fixture.settle(
            taken, by: "wang", content: .mark(Mark(question: 1, score: 0, max: 2, by: "wang", value: "C")))
        #expect(try await fixture.sheet(sheet).score == 0)
        let exam = try await fixture.changeKey(to: "C")
        let now = try await fixture.sheet(sheet)
        #expect(now.answers["q1"]?.value == "C")
        #expect(now.fields["q1"]?.value == "A")
        let marks = [Mark(question: 1, score: 2, max: 2)]
        try await fixture.store.record(
            marks, of: sheet, readingVersion: 1, keyVersion: exam.keyVersion, context: StoreFixture.context)
        let after = try await fixture.sheet(sheet)
        #expect(after.marks == [Mark(question: 1, score: 2, max: 2, by: "wang", value: "C")])
        #expect(after.status == .graded)
        #expect(try await fixture.reviews().map(\.review.history.count) == [3])
        // The answer to the decision sent again is that of then.
        try await fixture.settle(
            taken, by: "wang", content: .mark(Mark(question: 1, score: 2, max: 2, by: "wang", value: "C")))
    }

    @Test("Nothing of the reviews is left of a deleted exam, nor comes back")
    func deleted() async throws {
        let fixture = try await StoreFixture()
        for number in 0..<4 { try await fixture.marked("a\(number)-", student: "000\(number)", flags: [.faint]) }
        let taken = try #require(try await fixture.take("wang"))
        try await fixture.settle(taken, by: "wang")
        _ = try await fixture.take("wang")
        let open = try #require(try await fixture.reviews(.open).last?.review.id)
        _ = try await fixture.store.assignReview(open, to: "li", context: StoreFixture.context) { _ in }
        #expect(try await fixture.store.examsToReview(of: nil) == [fixture.examID])
        #expect(try await fixture.store.examsToReview(of: "li") == [fixture.examID])
        #expect(try await fixture.store.examsToReview(of: "zhao").isEmpty)
        try await fixture.store.delete(fixture.examID, context: StoreFixture.context)
        #expect(try await fixture.store.examsToReview(of: nil).isEmpty)
        #expect(
            try await fixture.store.takeReview(
                exam: fixture.examID, targets: [.question(1)], for: "li", lease: .seconds(1)) == nil)
        try await fixture.store.purge(fixture.examID)
        #expect(try await fixture.keysOfExam().filter { $0.contains("review") }.isEmpty)
    }

    @Test("A sheet that waits because of its page alone is settled by confirming the reading")
    func page() async throws {
        let fixture = try await StoreFixture()
        let id = try await fixture.upload("a")
        var reading = StoreFixture.reading(student: "0001")
        reading.flags = [.cornersGuessed]
        _ = try await fixture.store.record(reading, of: id, context: StoreFixture.context)
        try await fixture.mark(id)
        let taken = try #require(try await fixture.take("li"))
        #expect(taken.review.id.parts?.target == .page)
        try await fixture.settle(taken, by: "li", content: .confirm)
        #expect(try await fixture.sheet(id).status == .graded)
        #expect(try await fixture.sheet(id).flags.isEmpty)
        #expect(try await fixture.events(GradingReviewed.self).map(\.question) == [nil])
        try await fixture.expectConsistentReviews()
    }
}
