import Domain
import EventBus
import Redis
import Testing

@testable import ExamStore

/// Reviews of the one exam of a `StoreFixture`.
extension StoreFixture {
    /// Uploads, reads and marks a sheet of one page.
    @discardableResult
    func marked(
        _ name: String, student: String?, page: Int = 1, answer: String = "A", flags: [FieldFlag] = []
    ) async throws -> SheetID {
        let id = try await upload(name)
        let sheet = try await read(id, page: page, student: student, answer: answer, flags: flags)
        try await mark(sheet)
        return sheet
    }

    func take(
        _ user: UserID, _ targets: Set<ReviewTarget>? = nil, lease: Duration = .seconds(600)
    ) async throws -> ReviewRecord? {
        let exam = try #require(try await store.exam(examID))
        return try await store.takeReview(
            exam: examID, targets: targets ?? exam.reviewTargets, for: user, lease: lease)
    }

    /// Decides a review under the lease it was taken under.
    @discardableResult
    func settle(
        _ record: ReviewRecord, by user: UserID, score: Double = 1, comment: String? = nil,
        content: ReviewDecision.Content? = nil
    ) async throws -> ReviewRecord {
        let fence = record.lease?.fence ?? 0
        return try await store.settleReview(record.review.id, by: user, context: Self.context) { exam, review, _ in
            let number = review.id.parts?.target.question ?? 0
            let max = exam.questions.first { $0.number == number }?.points ?? 0
            let mark = Mark(question: number, score: score, max: max, by: user.rawValue)
            return ReviewDecision(fence: fence, comment: comment, content: content ?? .mark(mark))
        }
    }

    func reviews(_ status: ReviewStatus? = nil) async throws -> [ReviewRecord] {
        var all: [ReviewRecord] = []
        var cursor: String?
        repeat {
            let page = try await store.reviews(
                exam: examID, targets: nil, status: status, cursor: cursor, limit: 7)
            all += page.items
            cursor = page.nextCursor
        } while cursor != nil
        return all
    }

    /// Every review is in the lists where it belongs and in no other, and the counters are what a recount gives.
    func expectConsistentReviews(_ location: SourceLocation = #_sourceLocation) async throws {
        let stored = try await client.send(["HGETALL", place.reviews]).fields ?? []
        let reviews = try stored.map { try JSON.decode(Review.self, from: $0.value.bytes ?? []) }
        let counters = try await client.send(["HGETALL", place.reviewCounters]).fields ?? []
        var expected: [String: Int] = [:]
        for review in reviews {
            let target = try #require(review.id.parts).target.name
            let queue = ExamPlace.queueName(target, review.assignee)
            for isSettled in [false, true] {
                let list = try await client.send(
                    ["ZSCORE", place.reviews(of: target, isSettled: isSettled), review.id.rawValue])
                #expect(list.isNull == (isSettled != review.isSettled), "\(review.id)", sourceLocation: location)
            }
            let queued = try await client.send(["ZSCORE", place.reviewQueue(queue), review.id.rawValue])
            #expect(queued.isNull == review.isSettled, "\(review.id)", sourceLocation: location)
            let lease = try await client.send(["HGET", place.reviewLeases, review.id.rawValue])
            if review.isSettled { #expect(lease.isNull, "\(review.id)", sourceLocation: location) }
            for field in review.isSettled ? ["settled:\(target)"] : ["pending", "pending:\(target)", "queue:\(queue)"] {
                expected[field, default: 0] += 1
            }
        }
        let counted = counters.filter { $0.name != "sequence" && $0.name != "fence" && $0.value.int != 0 }
        #expect(
            Dictionary(uniqueKeysWithValues: counted.map { ($0.name, $0.value.int ?? 0) }) == expected,
            sourceLocation: location)
        let isListed = try await !client.send(["ZSCORE", place.reviewedExams, "\(examID)"]).isNull
        #expect(isListed == (expected["pending"] != nil), sourceLocation: location)
    }

    /// Lets analytics hear of everything, only now.
    func tellAnalytics() async throws {
        try await own("f1")
        for stored in try await events() {
            switch stored.event.type {
            case GradingCompleted.type:
                try await store.contribute(
                    try stored.event.decode(GradingCompleted.self), guardedBy: effectGuard(stored.position),
                    context: Self.context)
            case ReviewRequested.type:
                try await store.contribute(
                    try stored.event.decode(ReviewRequested.self), guardedBy: effectGuard(stored.position),
                    context: Self.context)
            default: break
            }
        }
    }

    /// The figures are those of the sheets as they stand.
    func expectStatisticsOfSheets(_ location: SourceLocation = #_sourceLocation) async throws {
        let sheets = try await sheets()
        let statistics = try await store.statistics(exam: examID)
        #expect(statistics.count == sheets.count, sourceLocation: location)
        #expect(statistics.needsReview == sheets.count(where: \.needsReview), sourceLocation: location)
        let mean = sheets.isEmpty ? nil : Score.sum(sheets.compactMap(\.score)) / Double(sheets.count)
        #expect(
            abs((statistics.mean ?? 0) - (mean ?? 0)) < 1e-9 && (statistics.mean == nil) == (mean == nil),
            "\(String(describing: statistics.mean)) \(String(describing: mean))", sourceLocation: location)
    }
}
