internal import Audit
package import Domain
internal import Redis

/// Who has which review: taking, keeping, giving back and giving away.
extension ExamStore {

    static let leaseReviewScript = RedisScript(name: "lease review", source: PackageResources.lease_review_lua)

    /// Exams that have reviews waiting, the oldest first.
    ///
    /// - Parameters:
    ///   - user: only exams the user has to do with; nil for all.
    ///   - limit: of each partition, 1 to 200.
    package func examsToReview(of user: UserID?, limit: Int = 50) async throws -> [ExamID] {
        let replies = try await client.pipeline(
            (0..<partitions).map { partition -> RedisCommand in
                let reviewed = ExamPlace.reviewedExams(keys, partition)
                guard let user else { return ["ZRANGE", reviewed, 0, limit - 1] }
                return ["ZINTER", 2, keys.record(partition, "user:\(user):exams"), reviewed]
            })
        return replies.flatMap { ($0.array ?? []).compactMap(\.string).prefix(limit) }.sorted().map { ExamID($0) }
    }

    /// Takes the review that waits longest, those first that are assigned to the user, and before others what somebody
    /// began and did not end in time.
    ///
    /// - Parameters:
    ///   - targets: what the user may have.
    ///   - lease: how long nobody else gets it.
    /// - Returns: nil when there is none.
    package func takeReview(
        exam: ExamID, targets: Set<ReviewTarget>, for user: UserID, lease: Duration
    ) async throws -> ReviewRecord? {
        let place = place(of: exam)
        let counters = ReviewCounters(try await client.send(["HGETALL", place.reviewCounters]))
        let names = targets.map(\.name).sorted()
        let own = names.map { ExamPlace.queueName($0, user) }.filter(counters.hasQueue)
        let queues = own + names.filter(counters.hasQueue)
        guard !queues.isEmpty else { return nil }
        // The review may be gone before it is looked at.
        for _ in 0..<20 {
            guard let taken = try await self.lease(nil, in: queues, own: own.count, at: place, for: user, lease) else {
                return nil
            }
            if let record = try await review(taken), record.lease?.user == user { return record }
        }
        throw ExamStoreError(.contention, "the reviews change too fast; try again")
    }

    /// Takes this very review, or keeps it for longer.
    ///
    /// - Throws: `ExamStoreError` with `.notFound`, `.settled`, or `.leaseLost` when another has it.
    package func takeReview(_ id: ReviewID, for user: UserID, lease: Duration) async throws -> ReviewRecord {
        guard let parts = id.parts else { throw ExamStoreError.noReview(id) }
        let place = place(of: parts.exam)
        for _ in 0..<20 {
            guard let old = try await review(id) else { throw ExamStoreError.noReview(id) }
            if old.review.isSettled { throw ExamStoreError(.settled, "the review \(id) is settled") }
            if let assignee = old.review.assignee, assignee != user {
                throw ExamStoreError(.leaseLost, "the review \(id) is assigned to another user")
            }
            let queue = ExamPlace.queueName(parts.target.name, old.review.assignee)
            guard try await self.lease(id, in: [queue], own: 0, at: place, for: user, lease) != nil else { continue }
            if let new = try await review(id), new.lease?.user == user { return new }
        }
        throw ExamStoreError(.contention, "the review changes too fast; try again")
    }

    private func lease(
        _ id: ReviewID?, in queues: [String], own: Int, at place: ExamPlace, for user: UserID, _ lease: Duration
    ) async throws -> ReviewID? {
        let reply = try await client.evaluate(
            Self.leaseReviewScript,
            keys: [place.record, place.reviewLeases, place.reviewCounters] + queues.map(place.reviewQueue),
            arguments: [
                user.rawValue, Int(lease / .milliseconds(1)), ExamPlace.leastLeaseScore, own, id?.rawValue ?? "",
            ])
        guard let answer = reply.array else {
            throw ExamStoreError(.corrupt, "the script that leases reviews answered \(reply)")
        }
        guard let found = answer.first?.string else { return nil }
        guard !found.isEmpty else { throw ExamStoreError(.leaseLost, "another user has the review at the moment") }
        return ReviewID(found)
    }

    /// Gives a review back, so that it is the next to be taken of those that came behind it.
    ///
    /// Idempotent: what nobody has stays as it is.
    /// - Parameter user: whose lease it must be; nil ends anybody's, and takes back to whom it was assigned.
    /// - Throws: `ExamStoreError` with `.notFound`, or `.leaseLost` when another has it.
    package func releaseReview(_ id: ReviewID, by user: UserID?) async throws {
        try await update { () -> (RecordTransaction?, Void) in
            guard let parts = id.parts, let old = try await stored(id) else { throw ExamStoreError.noReview(id) }
            guard !old.record.review.isSettled else { return (nil, ()) }
            if let user {
                guard let lease = old.record.lease else { return (nil, ()) }
                guard lease.user == user else {
                    throw ExamStoreError(.leaseLost, "the review \(id) is not under a lease of yours")
                }
            } else if old.lease == nil, old.record.review.assignee == nil {
                return (nil, ())
            }
            let assignee = user == nil ? nil : old.record.review.assignee
            return (try moved(old, to: assignee, at: place(of: parts.exam)), ())
        }
    }

    /// Gives a review to a user: nobody else gets it, and who had it has it no more.
    ///
    /// - Parameter check: throws when the user may not have it.
    /// - Throws: `ExamStoreError` with `.notFound` or `.settled`.
    package func assignReview(
        _ id: ReviewID, to user: UserID, context: EventContext, check: (Exam) throws -> Void
    ) async throws -> ReviewRecord {
        try await update { () -> (RecordTransaction?, ReviewRecord) in
            guard let parts = id.parts, let exam = try await exam(parts.exam), let old = try await stored(id) else {
                throw ExamStoreError.noReview(id)
            }
            try check(exam)
            var record = old.record
            if record.review.isSettled { throw ExamStoreError(.settled, "the review \(id) is settled") }
            if record.review.assignee == user { return (nil, record) }
            let place = place(of: parts.exam)
            var transaction = try moved(old, to: user, at: place)
            transaction.require(place.record, field: "version", equals: String(exam.version))
            try transaction.audit(
                AuditEntry(
                    .reviewAssigned, subject: "review/\(id)", examID: exam.id, context: context,
                    details: ["user": user.rawValue]),
                in: place.audit)
            record.review.assignee = user
            record.lease = nil
            return (transaction, record)
        }
    }

    /// Ends the lease and moves the review into the queue of `assignee`, or of everybody, to its old place.
    private func moved(_ old: StoredReview, to assignee: UserID?, at place: ExamPlace) throws -> RecordTransaction {
        var review = old.record.review
        let target = review.id.parts?.target.name ?? ""
        let id = review.id.rawValue
        let from = ExamPlace.queueName(target, review.assignee)
        let to = ExamPlace.queueName(target, assignee)
        review.assignee = assignee
        var transaction = RecordTransaction()
        transaction.require(place.reviews, field: id, equals: old.json)
        transaction.require(place.reviewLeases, field: id, equals: old.lease)
        transaction.unset(place.reviewLeases, field: id)
        if from != to {
            transaction.set(place.reviews, [id: try JSON.string(review)])
            transaction.remove(id, from: place.reviewQueue(from))
            transaction.add(-1, to: place.reviewCounters, field: "queue:\(from)")
            transaction.add(1, to: place.reviewCounters, field: "queue:\(to)")
        }
        transaction.copy(id, from: place.reviews(of: target, isSettled: false), to: place.reviewQueue(to))
        return transaction
    }

    /// Gives back to everybody what is assigned to users who may not have it any more.
    ///
    /// - Parameter isAllowed: whether a user may have reviews of a target.
    package func takeBackReviews(
        exam id: ExamID, isAllowed: (Exam, UserID, ReviewTarget) -> Bool
    ) async throws {
        guard let exam = try await exam(id) else { return }
        let place = place(of: id)
        for queue in ReviewCounters(try await client.send(["HGETALL", place.reviewCounters])).queues() {
            let parts = queue.split(separator: "@", maxSplits: 1)
            guard parts.count == 2, let target = ReviewTarget(parts[0]),
                !isAllowed(exam, UserID(String(parts[1])), target)
            else { continue }
            var last: [String] = []
            while true {
                let ids = (try await client.send(["ZRANGE", place.reviewQueue(queue), 0, 99]).array ?? [])
                    .compactMap(\.string)
                // Each that was released has left the queue.
                if ids.isEmpty || ids == last { break }
                for review in ids { try await releaseReview(ReviewID(review), by: nil) }
                last = ids
            }
        }
    }
}
