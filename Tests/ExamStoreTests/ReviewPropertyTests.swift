import Domain
import Logging
import Redis
import TestSupport
import Testing

@testable import EventBus
@testable import ExamStore

/// Markers who take, decide, lose and give back reviews at random, all at once, with connections that are cut in between.
@Suite("Reviews whatever happens")
struct ReviewPropertyTests {
    @Test(
        "Each review is settled exactly once, no mark is lost, and the counters are those of a recount",
        arguments: 0..<6)
    func anyOrder(_ round: Int) async throws {
        // A server of its own: others' connections are not to be cut.
        let server = try RedisServer()
        defer { server.stop() }
        let fixture = try await StoreFixture(pages: 3, server: server)
        var sheets: [SheetID] = []
        for student in 0..<8 {
            var sheet: SheetID?
            for page in 1...3 {
                let id = try await fixture.upload("r\(round)-\(student)-\(page)-")
                let flags: [FieldFlag] = Int.random(in: 0..<3) == 0 ? [] : [.faint]
                sheet = try await fixture.read(id, page: page, student: "100\(student)", flags: flags)
            }
            let id = try #require(sheet)
            try await fixture.mark(id)
            sheets.append(id)
        }
        let asked = try await fixture.reviews().map(\.review.id)
        let markers: [UserID] = ["wang", "zhao", "qian", "sun"]
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for marker in markers {
                tasks.addTask { try await Self.work(marker, markers, fixture) }
            }
            tasks.addTask { try await Self.cut(server, fixture) }
            for sheet in sheets {
                tasks.addTask {
                    // Marked again by another key in the middle of it.
                    _ = try await Self.insist { try await fixture.mark(sheet) }
                }
            }
            tasks.addTask { _ = try await Self.insist { try await fixture.changeKey(to: "B") } }
            try await tasks.waitForAll()
        }
        for sheet in sheets { try await fixture.mark(sheet) }
        try await expectSettled(asked, fixture)
        try await fixture.expectConsistentReviews()
        try await fixture.expectConsistentLists()
        try await fixture.tellAnalytics()
        try await fixture.expectStatisticsOfSheets()
    }

    private static func work(_ marker: UserID, _ markers: [UserID], _ fixture: StoreFixture) async throws {
        while true {
            // A connection that is cut leaves open whether it was taken; then its lease ends.
            guard
                let taken = try await insist({
                    try await fixture.take(marker, lease: .milliseconds(.random(in: 1...40)))
                })
            else {
                if try await insist({ try await fixture.reviews(.settled).count == fixture.reviews().count }) { return }
                await Task.yield()
                continue
            }
            do {
                switch Int.random(in: 0..<8) {
                case 0: continue
                case 1: try await fixture.store.releaseReview(taken.review.id, by: marker)
                case 2:
                    _ = try await fixture.store.assignReview(
                        taken.review.id, to: markers.randomElement() ?? marker, context: StoreFixture.context
                    ) { _ in }
                default:
                    let score = Double(Int.random(in: 0...200)) / 100
                    try await insist { _ = try await fixture.settle(taken, by: marker, score: score) }
                    // What was answered stands.
                    try await insist {
                        let parts = try #require(taken.review.id.parts)
                        let mark = try await fixture.sheet(parts.sheet).marks.first {
                            $0.question == parts.target.question
                        }
                        #expect(mark?.score == score)
                        #expect(mark?.by == marker.rawValue)
                    }
                }
            } catch let error as ExamStoreError where error.code == .leaseLost || error.code == .settled {
                // Another was faster.
            } catch is RedisError {
            }
        }
    }

    /// Ends the connections of everybody now and then.
    private static func cut(_ server: RedisServer, _ fixture: StoreFixture) async throws {
        let client = RedisClient(
            configuration: try RedisConfiguration(url: server.url),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        for _ in 0..<12 {
            let settled = try? await fixture.reviews(.settled).count
            _ = try? await client.send(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])
            for _ in 0..<200 where settled != nil {
                guard let now = try? await fixture.reviews(.settled).count, now == settled else { break }
                await Task.yield()
            }
        }
        await client.close()
    }

    /// Once more until Redis is reached.
    private static func insist<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        for _ in 0..<1000 {
            do {
                return try await body()
            } catch is RedisError {
                await Task.yield()
            }
        }
        return try await body()
    }

    private func expectSettled(_ asked: [ReviewID], _ fixture: StoreFixture) async throws {
        let reviews = try await fixture.reviews()
        #expect(Set(reviews.map(\.review.id)) == Set(asked))
        #expect(reviews.allSatisfy { $0.review.isSettled })
        let events = try await fixture.events(GradingReviewed.self)
        #expect(events.count == asked.count)
        #expect(Set(events.compactMap(\.review)) == Set(asked))
        for event in events {
            let sheet = try await fixture.sheet(event.sheetID)
            let mark = try #require(sheet.marks.first { $0.question == event.question })
            #expect(mark.score == event.newScore)
            #expect(mark.by == event.by.rawValue)
            #expect(sheet.status == .graded)
        }
        for record in reviews {
            let people = record.review.history.filter { $0.by != Mark.machine }
            #expect(people.count == 1)
        }
        let marked = try await fixture.count(GradingCompleted.self)
        #expect(try await fixture.store.resultsVersion(exam: fixture.examID) == marked + events.count)
    }
}
