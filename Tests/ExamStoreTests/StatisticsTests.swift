import Domain
import EventBus
import Redis
import Testing

@testable import ExamStore

@Suite("Figures of an exam")
struct StatisticsTests {
    private static func marked(
        _ fixture: StoreFixture, _ name: String, score: Double, max: Double = 10, key: Int = 1, reading: Int = 1,
        needsReview: Bool = false
    ) -> GradingCompleted {
        GradingCompleted(
            sheetID: SheetID(exam: fixture.examID, unique: name), studentID: nil, status: .graded, score: score,
            maxScore: max, marks: [Mark(question: 1, score: score, max: max), Mark(question: 2, score: nil, max: 5)],
            flags: [], needsReview: needsReview, readingVersion: reading, keyVersion: key)
    }

    private static func contribute(
        _ fixture: StoreFixture, _ event: GradingCompleted, at position: UInt64, fence: String = "f1",
        group: String = "g"
    ) async throws {
        try await fixture.store.contribute(
            event,
            guardedBy: fixture.effectGuard(StreamPosition(milliseconds: position), fence: fence, group: group),
            context: StoreFixture.context)
    }

    @Test("A sheet counts once, however often its event is delivered")
    func once() async throws {
        let fixture = try await StoreFixture()
        try await fixture.own("f1")
        let event = Self.marked(fixture, "s", score: 7.5, needsReview: true)
        for _ in 0..<3 { try await Self.contribute(fixture, event, at: 10) }
        let figures = try await fixture.store.statistics(exam: fixture.examID)
        #expect(figures.count == 1)
        #expect(figures.mean == 7.5)
        #expect(figures.minimum == 7.5)
        #expect(figures.maximum == 7.5)
        #expect(figures.standardDeviation == 0)
        #expect(figures.needsReview == 1)
        #expect(figures.distribution.map(\.count) == [0, 0, 0, 0, 0, 0, 0, 1, 0, 0])
        #expect(figures.questions.map(\.question) == [1], "an open answer without a score counts nowhere")
        #expect(try await fixture.count(QualityUpdated.self) == 1)
    }

    @Test("A sheet marked again counts as it is marked now")
    func replaced() async throws {
        let fixture = try await StoreFixture()
        try await fixture.own("f1")
        try await Self.contribute(fixture, Self.marked(fixture, "s", score: 7.5, needsReview: true), at: 10)
        try await Self.contribute(fixture, Self.marked(fixture, "t", score: 1), at: 11)
        try await Self.contribute(fixture, Self.marked(fixture, "s", score: 10, key: 2), at: 12)
        let figures = try await fixture.store.statistics(exam: fixture.examID)
        #expect(figures.count == 2)
        #expect(figures.mean == 5.5)
        #expect(figures.standardDeviation == 4.5)
        #expect(figures.needsReview == 0)
        #expect(figures.distribution.map(\.count) == [0, 1, 0, 0, 0, 0, 0, 0, 0, 1])
        #expect(figures.questions == [.init(question: 1, count: 2, correct: 1, rate: 0.5)])
        // A dead letter brought back is told again behind what followed it.
        try await Self.contribute(fixture, Self.marked(fixture, "s", score: 7.5, needsReview: true), at: 20)
        #expect(try await fixture.store.statistics(exam: fixture.examID) == figures)
    }

    @Test("A marked sheet that comes to wait for people is counted among those, once, and an unmarked one is not")
    func waiting() async throws {
        let fixture = try await StoreFixture()
        try await fixture.own("f1")
        try await Self.contribute(fixture, Self.marked(fixture, "s", score: 7.5), at: 10)
        for (position, name) in [(11, "s"), (11, "s"), (12, "s"), (13, "unmarked")] as [(UInt64, String)] {
            let request = ReviewRequested(
                sheetID: SheetID(exam: fixture.examID, unique: name), questions: [], flags: [.duplicatePage])
            try await fixture.store.contribute(
                request, guardedBy: fixture.effectGuard(StreamPosition(milliseconds: position)),
                context: StoreFixture.context)
        }
        let figures = try await fixture.store.statistics(exam: fixture.examID)
        #expect(figures.count == 1)
        #expect(figures.mean == 7.5)
        #expect(figures.needsReview == 1)
        #expect(try await fixture.count(QualityUpdated.self) == 2)
        try await Self.contribute(fixture, Self.marked(fixture, "s", score: 7.5, key: 2), at: 20)
        #expect(try await fixture.store.statistics(exam: fixture.examID).needsReview == 0)
    }

    @Test("Who lost the partition changes nothing")
    func staleFence() async throws {
        let fixture = try await StoreFixture()
        try await fixture.own("f2")
        let event = Self.marked(fixture, "s", score: 7)
        let error = await #expect(throws: ExamStoreError.self) {
            try await Self.contribute(fixture, event, at: 10, fence: "f1")
        }
        #expect(error?.code == .superseded)
        #expect(try await fixture.store.statistics(exam: fixture.examID).count == 0)
        #expect(try await fixture.count(QualityUpdated.self) == 0)
        try await Self.contribute(fixture, event, at: 10, fence: "f2")
        #expect(try await fixture.store.statistics(exam: fixture.examID).count == 1)
    }

    @Test("Another group that replays the same events adds nothing twice, even at the same time")
    func twoGroups() async throws {
        let fixture = try await StoreFixture()
        try await fixture.own("f1", group: "g")
        try await fixture.own("f1", group: "replay")
        let events = (0..<20).map { Self.marked(fixture, "s\($0)", score: Double($0 % 11)) }
        try await concurrently(["g", "replay"]) { group in
            for (index, event) in events.enumerated() {
                while true {
                    do {
                        try await Self.contribute(fixture, event, at: UInt64(index + 1), group: group)
                        break
                    } catch let error as ExamStoreError where error.code == .contention {
                        continue  // As a subscriber does.
                    }
                }
            }
        }
        let figures = try await fixture.store.statistics(exam: fixture.examID)
        #expect(figures.count == 20)
        #expect(figures.mean == events.map(\.score).reduce(0, +) / 20)
        #expect(figures.distribution.map(\.count).reduce(0, +) == 20)
    }

    @Test("The figures are those a plain calculation gives, whatever was marked again")
    func calculation() async throws {
        let fixture = try await StoreFixture()
        try await fixture.own("f1")
        var scores: [String: Double] = [:]
        for position in 1...120 {
            let name = "s\(Int.random(in: 0..<30))"
            let score = Double(Int.random(in: 0...1000)) / 100
            scores[name] = score
            try await Self.contribute(
                fixture, Self.marked(fixture, name, score: score, key: position), at: UInt64(position))
        }
        let figures = try await fixture.store.statistics(exam: fixture.examID)
        let all = Array(scores.values)
        let mean = all.reduce(0, +) / Double(all.count)
        let variance = all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(all.count)
        #expect(figures.count == all.count)
        #expect(abs((figures.mean ?? 0) - mean) < 1e-9)
        #expect(abs((figures.standardDeviation ?? 0) - variance.squareRoot()) < 1e-6)
        #expect(figures.minimum == all.min())
        #expect(figures.maximum == all.max())
        for (index, bin) in figures.distribution.enumerated() {
            #expect(bin.count == all.count { min(Int($0 / 10 * 10), 9) == index })
        }
    }

    @Test("An exam that is gone gets no figures")
    func deletedExam() async throws {
        let fixture = try await StoreFixture()
        try await fixture.own("f1")
        try await fixture.store.delete(fixture.examID, context: StoreFixture.context)
        try await Self.contribute(fixture, Self.marked(fixture, "s", score: 7), at: 10)
        #expect(try await fixture.client.send(["EXISTS", fixture.place.statistics]).int == 0)
        let error = await #expect(throws: ExamStoreError.self) {
            try await fixture.store.statistics(exam: fixture.examID)
        }
        #expect(error?.code == .notFound)
    }
}
