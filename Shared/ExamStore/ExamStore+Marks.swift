internal import Audit
package import Domain
internal import EventBus
internal import Redis

extension ExamStore {
    /// Records the marks of a sheet, made from reading `readingVersion` by the key `keyVersion`.
    ///
    /// Idempotent: marks of the same reading and key are recorded once. Marks a person decided are kept.
    /// - Returns: false when the sheet has been read or the key has been changed since, or when these marks were
    ///   recorded before; nothing is changed then.
    @discardableResult
    package func record(
        _ marks: [Mark], of id: SheetID, readingVersion: Int, keyVersion: Int, context: EventContext
    ) async throws -> Bool {
        guard let examID = id.examID else { throw ExamStoreError.noSheet(id) }
        let place = place(of: examID)
        return try await update { () -> (RecordTransaction?, Bool) in
            guard let exam = try await exam(examID) else { throw ExamStoreError.noExam(examID) }
            guard let old = try await stored(id) else { throw ExamStoreError.noSheet(id) }
            // A page that was not read has no marks, not a row of noughts.
            guard old.sheet.joinedTo == nil, readingVersion > 0, old.sheet.readingVersion == readingVersion,
                exam.keyVersion == keyVersion
            else { return (nil, false) }
            if old.sheet.isMarked && old.sheet.keyVersion == keyVersion { return (nil, false) }

            var sheet = old.sheet
            sheet.settleMarks(marks, maxScore: exam.maxScore, keyVersion: keyVersion)
            var transaction = RecordTransaction()
            transaction.require(place.record, field: "version", equals: String(exam.version))
            try await countPages(of: &sheet, at: place, context: context, in: &transaction)
            try await settleReviews(of: &sheet, exam: exam, at: place, in: &transaction)
            try write(sheet, over: old, at: place, to: &transaction)
            transaction.add(1, to: place.counters, field: "results")
            let completed = GradingCompleted(
                sheetID: id, studentID: sheet.studentID, status: sheet.status, score: sheet.score ?? 0,
                maxScore: sheet.maxScore, marks: sheet.marks, flags: sheet.flags, needsReview: sheet.needsReview,
                readingVersion: readingVersion, keyVersion: keyVersion, reviewVersion: sheet.reviewVersion)
            transaction.publish(try EventEnvelope(completed, examID: examID, context: context), on: place.events)
            let changed = sheet.questions(markedOtherThanIn: old.sheet)
            if !changed.isEmpty {
                try transaction.audit(
                    AuditEntry(
                        .marksChanged, subject: "sheet/\(id)", examID: examID, context: context,
                        details: [
                            "questions": changed.map { "\($0)" }.joined(separator: ","), "key_version": "\(keyVersion)",
                        ]),
                    in: place.audit)
            }
            if sheet.needsReview, sheet.status == .review {
                let request = ReviewRequested(
                    sheetID: id, questions: sheet.marks.filter(\.needsReview).map(\.question), flags: sheet.flags,
                    reviewVersion: sheet.reviewVersion)
                transaction.publish(try EventEnvelope(request, examID: examID, context: context), on: place.events)
            }
            try await finishRemarking(id, keyVersion: keyVersion, at: place, context: context, in: &transaction)
            return (transaction, true)
        }
    }
}

extension Sheet {
    /// True when the marks were made from what is read by now.
    var isMarked: Bool { markedReadingVersion > 0 && markedReadingVersion == readingVersion }

    /// Questions that were marked before and are marked otherwise now; the first mark, and that of a page that came
    /// later, changes nothing.
    fileprivate func questions(markedOtherThanIn old: Sheet) -> [Int] {
        let known = Dictionary(old.marks.map { ($0.question, $0) }, uniquingKeysWith: { first, _ in first })
        return marks.filter { mark in
            guard let before = known[mark.question], !before.flags.contains(.missingPage) else { return false }
            return before.score != mark.score || before.max != mark.max
        }.map(\.question).sorted()
    }

    /// Where the sheet stands once it is marked.
    var markedStatus: SheetStatus {
        // No further page tells whose this one is; only a person can.
        if flags.contains(.studentUnclear) || flags.contains(.duplicatePage) { return .review }
        if flags.contains(.missingPages) { return .recognized }
        return needsReview ? .review : .graded
    }

    /// Settles status, score and flags from new marks; marks a person decided are kept, and looked at again when the
    /// question has other points than it had then. Where a person only read the answer, the key marks it again.
    mutating func settleMarks(_ new: [Mark], maxScore: Double, keyVersion: Int) {
        let decided = Dictionary(
            marks.filter { $0.by != Mark.machine }.map { ($0.question, $0) }, uniquingKeysWith: { first, _ in first })
        marks = new.map { mark in
            guard var kept = decided[mark.question] else { return mark }
            if kept.value != nil {
                (kept.score, kept.max) = (mark.score, mark.max)
                return kept
            }
            if kept.max != mark.max {
                kept.max = mark.max
                if !kept.needsReview { kept.flags.append(.uncertain) }
            }
            return kept
        }
        score = Score.sum(marks.compactMap(\.score))
        self.maxScore = maxScore
        self.keyVersion = keyVersion
        markedReadingVersion = readingVersion
        needsReview = !flags.isEmpty || marks.contains(where: \.needsReview)
        status = markedStatus
    }
}
