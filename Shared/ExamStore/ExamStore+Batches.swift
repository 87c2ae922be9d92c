package import Domain
internal import EventBus
internal import Redis

extension ExamStore {
    /// Begins to mark every sheet of an exam again by the key `keyVersion`: lists what is to do and reports
    /// `batch.started`, and `batch.completed` at once when there is nothing. Idempotent.
    ///
    /// - Returns: the sheets that still have to be marked, with the reading to mark; empty when another key has come.
    package func beginRemarking(
        exam id: ExamID, keyVersion: Int, batchID: String, context: EventContext
    ) async throws -> [SheetSummary] {
        let place = place(of: id)
        return try await update { () -> (RecordTransaction?, [SheetSummary]) in
            guard let exam = try await exam(id) else { throw ExamStoreError.noExam(id) }
            guard exam.keyVersion == keyVersion else { return (nil, []) }
            var rest: [SheetSummary] = []
            var cursor: String?
            repeat {
                let page = try await sheets(exam: id, status: nil, cursor: cursor, limit: 500)
                rest += page.items.filter { $0.readingVersion > 0 && $0.keyVersion < keyVersion }
                cursor = page.nextCursor
            } while cursor != nil
            if try await client.send(["EXISTS", place.remarking(keyVersion)]).int == 1 { return (nil, rest) }

            var transaction = RecordTransaction()
            transaction.require(place.record, field: "version", equals: String(exam.version))
            transaction.requireMissing(place.remarking(keyVersion))
            transaction.set(place.remarking(keyVersion), ["total": rest.count, "batch": batchID])
            for (index, sheet) in rest.enumerated() {
                transaction.rank(sheet.id.rawValue, score: Int64(index), in: place.remarkingRest(keyVersion))
            }
            let kind = BatchTask.Kind.remark.rawValue
            let started = BatchStarted(batchID: batchID, kind: kind, total: rest.count)
            transaction.publish(try EventEnvelope(started, examID: id, context: context), on: place.events)
            if rest.isEmpty {
                let completed = BatchCompleted(batchID: batchID, kind: kind, total: 0)
                transaction.publish(try EventEnvelope(completed, examID: id, context: context), on: place.events)
            }
            return (transaction, rest)
        }
    }

    /// Crosses a marked sheet off the list of `beginRemarking`, in the transaction that records its marks.
    func finishRemarking(
        of sheet: Sheet, at place: ExamPlace, context: EventContext, in transaction: inout RecordTransaction
    ) async throws {
        let key = place.remarking(sheet.keyVersion)
        let rest = place.remarkingRest(sheet.keyVersion)
        let replies = try await client.pipeline([["HMGET", key, "total", "batch"], ["ZCARD", rest]])
        guard let figures = replies.first?.array, let total = figures.first?.int, let batch = figures.last?.string,
            let waiting = replies.last?.int, waiting > 0
        else { return }
        let kind = BatchTask.Kind.remark.rawValue
        let completed = BatchCompleted(batchID: batch, kind: kind, total: total)
        transaction.finish(
            sheet.id.rawValue, in: rest,
            publishing: try EventEnvelope(completed, examID: place.exam, context: context), on: place.events)
        // About twenty steps, whatever the size; with several workers a step may be told twice.
        let done = total - waiting + 1
        if done < total, done.isMultiple(of: max(1, total / 20)) {
            let progress = BatchProgress(batchID: batch, kind: kind, done: done, total: total)
            transaction.publish(try EventEnvelope(progress, examID: place.exam, context: context), on: place.events)
        }
    }
}
