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
            guard old.sheet.joinedTo == nil, old.sheet.readingVersion == readingVersion, exam.keyVersion == keyVersion
            else { return (nil, false) }
            let marksAreCurrent = old.sheet.keyVersion == keyVersion && old.sheet.markedReadingVersion == readingVersion
            if marksAreCurrent { return (nil, false) }

            var sheet = old.sheet
            sheet.settleMarks(marks, maxScore: exam.maxScore, keyVersion: keyVersion)
            var transaction = RecordTransaction()
            transaction.require(place.record, field: "version", equals: String(exam.version))
            try write(sheet, over: old, at: place, to: &transaction)
            transaction.add(1, to: place.counters, field: "results")
            let completed = GradingCompleted(
                sheetID: id, studentID: sheet.studentID, status: sheet.status, score: sheet.score ?? 0,
                maxScore: sheet.maxScore, marks: sheet.marks, flags: sheet.flags, needsReview: sheet.needsReview,
                readingVersion: readingVersion, keyVersion: keyVersion)
            transaction.publish(try EventEnvelope(completed, examID: examID, context: context), on: place.events)
            if sheet.needsReview, sheet.status == .review {
                let request = ReviewRequested(
                    sheetID: id, questions: sheet.marks.filter(\.needsReview).map(\.question), flags: sheet.flags)
                transaction.publish(try EventEnvelope(request, examID: examID, context: context), on: place.events)
            }
            try await finishRemarking(of: sheet, at: place, context: context, in: &transaction)
            return (transaction, true)
        }
    }
}

extension Sheet {
    /// Settles status, score and flags from new marks; marks a person decided are kept.
    mutating func settleMarks(_ new: [Mark], maxScore: Double, keyVersion: Int) {
        let decided = Dictionary(
            marks.filter { $0.by != "machine" }.map { ($0.question, $0) }, uniquingKeysWith: { first, _ in first })
        marks = new.map { decided[$0.question] ?? $0 }
        score = Score.sum(marks.compactMap(\.score))
        self.maxScore = maxScore
        self.keyVersion = keyVersion
        markedReadingVersion = readingVersion
        needsReview = !flags.isEmpty || marks.contains(where: \.needsReview)
        // A sheet whose other pages are still to come waits for them, unless it is people that must bring them together.
        let waits = flags.contains(.missingPages) && !flags.contains(.studentUnclear) && !flags.contains(.duplicatePage)
        status = waits ? .recognized : needsReview ? .review : .graded
    }
}
