internal import Audit
package import Domain
internal import EventBus
internal import Redis

/// What a person says about a review.
package struct ReviewDecision: Equatable, Sendable {
    /// Of the lease it was decided under.
    package var fence: Int
    package var comment: String?
    package var content: Content

    package enum Content: Equatable, Sendable {
        /// The mark of a question, as it is to stand on the sheet.
        case mark(Mark)
        /// The number of the sheet's student.
        case student(String)
        /// The sheet is a second scan of the one that student has.
        case discard(String)
        /// What was read on the doubtful page stands.
        case confirm
    }

    package init(fence: Int, comment: String?, content: Content) {
        self.fence = fence
        self.comment = comment
        self.content = content
    }

    func change(by user: UserID) -> Review.Change {
        var change = Review.Change(by: user.rawValue, comment: comment, fence: fence)
        switch content {
        case .mark(let mark): (change.score, change.value) = (mark.score, mark.value)
        case .student(let number): change.value = number
        case .discard(let number): (change.value, change.discarded) = (number, true)
        case .confirm: break
        }
        return change
    }
}

extension ExamStore {
    /// Settles a review: the mark with its history, the sheet's status and score, the exam's figures, the events and the
    /// entry of the audit log, in one script.
    ///
    /// Idempotent: the same decision under the same lease is made once, and answered alike. A lease that has ended still
    /// holds as long as nobody else has taken the review.
    /// - Parameter decide: the decision, by the exam and the sheet as they stand; throws when the user may not make it. Called
    ///   once more when they have changed meanwhile.
    /// - Throws: `ExamStoreError` with `.notFound`, `.settled`, `.leaseLost`, or `.studentTaken`.
    package func settleReview(
        _ id: ReviewID, by user: UserID, context: EventContext,
        decide: (Exam, Review, Sheet) throws -> ReviewDecision
    ) async throws -> ReviewRecord {
        guard let parts = id.parts else { throw ExamStoreError.noReview(id) }
        let place = place(of: parts.exam)
        return try await update { () -> (RecordTransaction?, ReviewRecord) in
            guard let exam = try await exam(parts.exam), let old = try await stored(id),
                let sheet = try await stored(parts.sheet)
            else { throw ExamStoreError.noReview(id) }
            let decision = try decide(exam, old.record.review, sheet.sheet)
            if try wasMade(decision, in: old.record.review, by: user) { return (nil, old.record) }
            guard !old.record.review.isSettled else { throw ExamStoreError(.settled, "the review \(id) is settled") }
            guard let lease = old.record.lease, lease.user == user, lease.fence == decision.fence else {
                throw ExamStoreError(.leaseLost, "the review \(id) is not under this lease; take it again")
            }
            var transaction = RecordTransaction()
            transaction.require(place.record, field: "version", equals: String(exam.version))
            transaction.require(place.reviews, field: id.rawValue, equals: old.json)
            transaction.require(place.reviewLeases, field: id.rawValue, equals: old.lease)
            var settled = Settling(
                id: id, target: parts.target, user: user, exam: exam, place: place, context: context, sheet: sheet)
            try await apply(decision, &settled, in: &transaction)

            var record = old.record
            dequeue(old, parts.target, at: place, in: &transaction)
            move(id, parts.target, toSettled: true, at: place, in: &transaction)
            record.review.isSettled = true
            record.review.append(decision.change(by: user))
            record.lease = nil
            transaction.set(place.reviews, [id.rawValue: try JSON.string(record.review)])
            try report(decision, settled, in: &transaction)
            return (transaction, record)
        }
    }

    /// True when the decision was made under its lease already.
    ///
    /// - Throws: `ExamStoreError` with `.settled` when another was.
    private func wasMade(_ decision: ReviewDecision, in review: Review, by user: UserID) throws -> Bool {
        guard var made = review.history.last(where: { $0.by == user.rawValue && $0.fence == decision.fence }) else {
            return false
        }
        let wanted = decision.change(by: user)
        made.at = wanted.at
        // The key may have changed since; what the person read is the same.
        if made.value != nil, wanted.value != nil { made.score = wanted.score }
        guard made == wanted else { throw ExamStoreError(.settled, "the review \(review.id) was settled otherwise") }
        return true
    }

    private func apply(
        _ decision: ReviewDecision, _ settled: inout Settling, in transaction: inout RecordTransaction
    ) async throws {
        switch decision.content {
        case .mark(let mark):
            guard let index = settled.sheet.sheet.marks.firstIndex(where: { $0.question == mark.question }) else {
                throw ExamStoreError(.corrupt, "the sheet has no mark of question \(mark.question)")
            }
            settled.oldScore = settled.sheet.sheet.marks[index].score
            settled.newScore = mark.score
            settled.new.marks[index] = mark
            try await finish(&settled, in: &transaction)
        case .confirm:
            for index in settled.new.pages.indices { settled.new.pages[index].isConfirmed = true }
            settled.new.flags.removeAll { $0 == .pageDoubtful || $0 == .blankPage }
            try await finish(&settled, in: &transaction)
        case .student(let number): try await give(number, to: &settled, in: &transaction)
        case .discard(let number): try await discard(&settled, for: number, in: &transaction)
        }
    }

    /// Writes the sheet with what was decided, and its share in the figures.
    func finish(_ settled: inout Settling, in transaction: inout RecordTransaction) async throws {
        settled.new.settleDecision()
        try write(settled.new, over: settled.sheet, at: settled.place, to: &transaction)
        transaction.add(1, to: settled.place.counters, field: "results")
        guard settled.new.score != nil else { return }
        try await contribute(
            SheetContribution(settled.new), of: settled.new.id, exam: settled.exam, at: settled.place,
            context: settled.context, in: &transaction)
    }

    private func report(
        _ decision: ReviewDecision, _ settled: Settling, in transaction: inout RecordTransaction
    ) throws {
        let reviewed = GradingReviewed(
            sheetID: settled.new.id, question: settled.target.question, oldScore: settled.oldScore,
            newScore: settled.newScore, by: settled.user, review: settled.id, status: settled.new.status)
        transaction.publish(
            try EventEnvelope(reviewed, examID: settled.exam.id, context: settled.context), on: settled.place.events)
        var details: [String: String] = [:]
        details["old_score"] = settled.oldScore.map { "\($0)" }
        details["new_score"] = settled.newScore.map { "\($0)" }
        details["discarded"] = settled.new.joinedTo?.rawValue
        details["comment"] = decision.comment
        try transaction.audit(
            AuditEntry(
                .reviewSettled, subject: "review/\(settled.id)", examID: settled.exam.id, context: settled.context,
                details: details),
            in: settled.place.audit)
    }
}

/// A review that is being settled.
struct Settling {
    let id: ReviewID
    let target: ReviewTarget
    let user: UserID
    let exam: Exam
    let place: ExamPlace
    let context: EventContext
    /// The sheet as it was.
    let sheet: StoredSheet
    /// The sheet as it becomes.
    var new: Sheet
    var oldScore: Double?
    var newScore: Double?

    init(
        id: ReviewID, target: ReviewTarget, user: UserID, exam: Exam, place: ExamPlace, context: EventContext,
        sheet: StoredSheet
    ) {
        self.id = id
        self.target = target
        self.user = user
        self.exam = exam
        self.place = place
        self.context = context
        self.sheet = sheet
        new = sheet.sheet
    }
}
