internal import Domain
internal import Redis

/// Reviews come and go with the marks of their sheet, in the transaction that changes these.
extension ExamStore {
    /// Asks people about what is doubtful on a sheet, and about nothing else.
    ///
    /// Of what was asked before, and still is, the review stays with whoever has it; what nobody needs to decide any more is
    /// taken back, unless a person has decided it once: then it is settled, with its history.
    func settleReviews(
        of sheet: inout Sheet, exam: Exam, at place: ExamPlace, in transaction: inout RecordTransaction
    ) async throws {
        let wanted = sheet.reviewReasons
        let known = (sheet.reviewTargets ?? []).compactMap { ReviewTarget($0) }
        guard !wanted.isEmpty || !known.isEmpty else { return }
        let marks = Dictionary(sheet.marks.map { ($0.question, $0) }, uniquingKeysWith: { first, _ in first })
        var records: [String] = []
        for target in Set(wanted.keys).union(known).sorted(by: { $0.name < $1.name }) {
            let id = ReviewID(sheet.id, target)
            let old = known.contains(target) ? try await stored(id) : nil
            let mark = target.question.flatMap { marks[$0] }
            if try settle(id, target, old, reasons: wanted[target], mark: mark, exam: exam, at: place, in: &transaction)
            {
                records.append(target.name)
            }
        }
        sheet.reviewTargets = records
    }

    /// - Parameter reasons: nil when nobody needs to decide it.
    /// - Returns: whether there is a record of it.
    private func settle(
        _ id: ReviewID, _ target: ReviewTarget, _ old: StoredReview?, reasons: [String]?, mark: Mark?, exam: Exam,
        at place: ExamPlace, in transaction: inout RecordTransaction
    ) throws -> Bool {
        let key = id.rawValue
        transaction.require(place.reviews, field: key, equals: old?.json)
        guard let old else {
            guard let reasons else { return false }
            var review = Review(id: id, reasons: reasons)
            review.append(mark)
            transaction.set(place.reviews, [key: try JSON.string(review)])
            transaction.append(
                key, to: place.reviews(of: target.name, isSettled: false), counters: place.reviewCounters,
                field: "sequence")
            enqueue(id, target, exam: exam, at: place, in: &transaction)
            return true
        }
        var review = old.record.review
        review.append(mark)
        if let reasons {
            review.reasons = reasons
            if review.isSettled {
                review.isSettled = false
                review.assignee = nil
                move(id, target, toSettled: false, at: place, in: &transaction)
                enqueue(id, target, exam: exam, at: place, in: &transaction)
            }
        } else if !review.isSettled {
            dequeue(old, target, at: place, in: &transaction)
            guard review.wasDecided else {
                transaction.unset(place.reviews, field: key)
                transaction.remove(key, from: place.reviews(of: target.name, isSettled: false))
                return false
            }
            review.isSettled = true
            move(id, target, toSettled: true, at: place, in: &transaction)
        }
        if review != old.record.review { transaction.set(place.reviews, [key: try JSON.string(review)]) }
        return true
    }

    /// Puts a review that is in the list of its target into the queue.
    private func enqueue(
        _ id: ReviewID, _ target: ReviewTarget, exam: Exam, at place: ExamPlace, in transaction: inout RecordTransaction
    ) {
        transaction.copy(
            id.rawValue, from: place.reviews(of: target.name, isSettled: false), to: place.reviewQueue(target.name))
        for field in ["pending", "pending:\(target.name)", "queue:\(target.name)"] {
            transaction.add(1, to: place.reviewCounters, field: field)
        }
        transaction.rank(exam.id.rawValue, score: exam.createdAt.milliseconds, in: place.reviewedExams)
    }

    /// Takes a review out of its queue, whoever has it, but not out of the list of its target.
    func dequeue(
        _ old: StoredReview, _ target: ReviewTarget, at place: ExamPlace, in transaction: inout RecordTransaction
    ) {
        let id = old.record.review.id.rawValue
        let queue = ExamPlace.queueName(target.name, old.record.review.assignee)
        transaction.unset(place.reviewLeases, field: id)
        transaction.remove(id, from: place.reviewQueue(queue))
        for field in ["pending", "pending:\(target.name)", "queue:\(queue)"] {
            transaction.add(-1, to: place.reviewCounters, field: field)
        }
        transaction.drop(
            place.exam.rawValue, from: place.reviewedExams, counters: place.reviewCounters, field: "pending")
    }

    /// Moves a review between the lists of its target.
    func move(
        _ id: ReviewID, _ target: ReviewTarget, toSettled isSettled: Bool, at place: ExamPlace,
        in transaction: inout RecordTransaction
    ) {
        let (from, to) = (
            place.reviews(of: target.name, isSettled: !isSettled), place.reviews(of: target.name, isSettled: isSettled)
        )
        transaction.copy(id.rawValue, from: from, to: to)
        transaction.remove(id.rawValue, from: from)
        transaction.add(isSettled ? 1 : -1, to: place.reviewCounters, field: "settled:\(target.name)")
    }
}

extension Review {
    /// Puts down a mark that is another than the last, by who decided it.
    fileprivate mutating func append(_ mark: Mark?) {
        guard let mark else { return }
        if let last = history.last, last.score == mark.score { return }
        // A score that follows from a person's reading changes with the key.
        append(Change(by: mark.value == nil ? mark.by : Mark.machine, score: mark.score, value: mark.value))
    }
}

extension Sheet {
    /// What people are to be asked, and why. Nothing while a page is missing that may settle it.
    var reviewReasons: [ReviewTarget: [String]] {
        guard status == .review else { return [:] }
        var reasons: [ReviewTarget: [String]] = [:]
        for mark in marks where mark.needsReview { reasons[.question(mark.question)] = mark.flags.map(\.rawValue) }
        for flag in flags {
            switch flag {
            case .studentUnclear, .duplicatePage: reasons[.studentID, default: []].append(flag.rawValue)
            case .pageDoubtful, .blankPage: reasons[.page, default: []].append(flag.rawValue)
            case .missingPages: break
            }
        }
        return reasons
    }

    /// Settles score and status when a person has decided something.
    mutating func settleDecision() {
        score = marks.isEmpty ? score : Score.sum(marks.compactMap(\.score))
        needsReview = !flags.isEmpty || marks.contains(where: \.needsReview)
        if isMarked { status = markedStatus }
        reviewVersion = (reviewVersion ?? 0) + 1
    }
}
