package import Domain
internal import EventBus
internal import Redis

extension ExamStore {
    /// Begins to mark every sheet of an exam again by the key `keyVersion`: lists what is to do and reports
    /// `batch.started`, and `batch.completed` at once when there is nothing. A re-marking by an older key that is not
    /// done is given up with `batch.failed`: its sheets are on the new list.
    ///
    /// Idempotent: the list is drawn up once. A later call returns what is left of it.
    /// - Returns: the sheets that still have to be marked, with the reading to mark; empty when another key has come.
    package func beginRemarking(
        exam id: ExamID, keyVersion: Int, batchID: String, context: EventContext
    ) async throws -> [SheetSummary] {
        let place = place(of: id)
        let isListed = try await update { () -> (RecordTransaction?, Bool) in
            guard let exam = try await exam(id) else { throw ExamStoreError.noExam(id) }
            guard exam.keyVersion == keyVersion else { return (nil, false) }
            let former = try await remarking(at: place)
            if let former, former.keyVersion >= keyVersion { return (nil, former.keyVersion == keyVersion) }
            let sheets = try await sheetsToRemark(exam: id, keyVersion: keyVersion)

            var transaction = RecordTransaction()
            transaction.require(place.record, field: "version", equals: String(exam.version))
            transaction.require(place.remarking, field: "key", equals: former.map { String($0.keyVersion) })
            if let former, former.waiting > 0 {
                let failed = BatchFailed(
                    batchID: former.batchID, kind: Self.remark,
                    message: "The answer key was changed again; the sheets are marked by the newer key.")
                transaction.publish(try EventEnvelope(failed, examID: id, context: context), on: place.events)
            }
            transaction.delete(place.remarkingRest)
            transaction.set(place.remarking, ["key": keyVersion, "total": sheets.count, "batch": batchID])
            for (index, sheet) in sheets.enumerated() {
                transaction.rank(sheet.id.rawValue, score: Int64(index), in: place.remarkingRest)
            }
            let started = BatchStarted(batchID: batchID, kind: Self.remark, total: sheets.count)
            transaction.publish(try EventEnvelope(started, examID: id, context: context), on: place.events)
            if sheets.isEmpty {
                let completed = BatchCompleted(batchID: batchID, kind: Self.remark, total: 0)
                transaction.publish(try EventEnvelope(completed, examID: id, context: context), on: place.events)
            }
            return (transaction, true)
        }
        guard isListed else { return [] }
        return try await sheetsLeft(keyVersion: keyVersion, at: place, context: context)
    }

    /// Crosses a sheet off the list of `beginRemarking`, in the transaction that records its marks. The last one
    /// completes the batch.
    func finishRemarking(
        _ id: SheetID, keyVersion: Int, at place: ExamPlace, context: EventContext,
        in transaction: inout RecordTransaction
    ) async throws {
        let batch = try await remarking(at: place)
        // A list drawn up between this look and the commit would never see the sheet crossed off.
        transaction.require(place.remarking, field: "key", equals: batch.map { String($0.keyVersion) })
        guard let batch, batch.keyVersion == keyVersion,
            try await !client.send(["ZSCORE", place.remarkingRest, id.rawValue]).isNull
        else { return }
        let completed = BatchCompleted(batchID: batch.batchID, kind: Self.remark, total: batch.total)
        transaction.finish(
            id.rawValue, in: place.remarkingRest,
            publishing: try EventEnvelope(completed, examID: place.exam, context: context), on: place.events)
        // About twenty steps, whatever the size; with several workers a step may be told twice.
        let done = batch.total - batch.waiting + 1
        if done < batch.total, done.isMultiple(of: max(1, batch.total / 20)) {
            let progress = BatchProgress(batchID: batch.batchID, kind: Self.remark, done: done, total: batch.total)
            transaction.publish(try EventEnvelope(progress, examID: place.exam, context: context), on: place.events)
        }
    }

    private static var remark: String { BatchTask.Kind.remark.rawValue }

    private func sheetsToRemark(exam: ExamID, keyVersion: Int) async throws -> [SheetSummary] {
        var found: [SheetSummary] = []
        var cursor: String?
        repeat {
            let page = try await sheets(exam: exam, status: nil, cursor: cursor, limit: 500)
            found += page.items.filter { $0.readingVersion > 0 && $0.keyVersion < keyVersion }
            cursor = page.nextCursor
        } while cursor != nil
        return found
    }

    /// What is left of the list. A sheet that was marked while the list was drawn up is crossed off here.
    private func sheetsLeft(
        keyVersion: Int, at place: ExamPlace, context: EventContext
    ) async throws -> [SheetSummary] {
        let members = try await client.send(["ZRANGE", place.remarkingRest, 0, -1]).array ?? []
        var left: [SheetSummary] = []
        for start in stride(from: 0, to: members.count, by: 500) {
            let ids = members[start..<min(start + 500, members.count)].compactMap(\.string).map { SheetID($0) }
            let values = try await client.pipeline(ids.map { ["HGET", place.sheet($0), "summary"] })
            for (id, value) in zip(ids, values) where !value.isNull {
                let sheet = try decode(SheetSummary.self, value, of: "sheet \(id)")
                if sheet.keyVersion < keyVersion {
                    left.append(sheet)
                } else {
                    try await crossOff(id, keyVersion: keyVersion, at: place, context: context)
                }
            }
        }
        return left
    }

    private func crossOff(
        _ id: SheetID, keyVersion: Int, at place: ExamPlace, context: EventContext
    ) async throws {
        try await update { () -> (RecordTransaction?, Void) in
            var transaction = RecordTransaction()
            try await finishRemarking(id, keyVersion: keyVersion, at: place, context: context, in: &transaction)
            return (transaction, ())
        }
    }

    private func remarking(at place: ExamPlace) async throws -> Remarking? {
        let replies = try await client.pipeline([
            ["HMGET", place.remarking, "key", "total", "batch"], ["ZCARD", place.remarkingRest],
        ])
        guard let fields = replies.first?.array, fields.count == 3, let key = fields[0].int,
            let total = fields[1].int, let batchID = fields[2].string
        else { return nil }
        return Remarking(keyVersion: key, total: total, batchID: batchID, waiting: replies.last?.int ?? 0)
    }
}

/// The latest re-marking of an exam.
private struct Remarking {
    let keyVersion: Int
    /// Sheets listed at the start.
    let total: Int
    let batchID: String
    /// Sheets that still have to be marked.
    let waiting: Int
}
