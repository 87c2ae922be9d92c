package import Domain
internal import EventBus
internal import Redis

/// A page image that was stored.
package struct UploadedPage: Sendable {
    package let blob: BlobID
    /// The name the uploader gave the file.
    package let file: String
    /// The page inside the blob, 1 for the first.
    package let filePage: Int

    package init(blob: BlobID, file: String, filePage: Int) {
        self.blob = blob
        self.file = file
        self.filePage = filePage
    }

    /// Follows from the image, so uploading the same image again finds the first sheet.
    func sheetID(in exam: ExamID) -> SheetID {
        SheetID(exam: exam, unique: "\(blob.rawValue.prefix(32))-\(filePage)")
    }
}

/// The answer to an upload of one page image.
package struct SheetAddition: Equatable, Sendable {
    package let sheetID: SheetID
    /// False when the same image was uploaded to this exam before.
    package let isNew: Bool
}

/// A stored sheet and what its next change must find unchanged.
struct StoredSheet: Sendable {
    var sheet: Sheet
    var revision: Int
}

extension ExamStore {
    /// Records an uploaded page image as a sheet of its own, until reading shows whose it is.
    ///
    /// The sheet's identifier follows from the image, so uploading the same image again finds the first sheet.
    /// - Throws: `ExamStoreError` with `.notFound` when there is no such exam.
    package func addSheet(
        exam id: ExamID, blob: BlobID, file: String, filePage: Int, context: EventContext
    ) async throws -> SheetAddition {
        let page = UploadedPage(blob: blob, file: file, filePage: filePage)
        return try await addSheets([page], to: id, batchID: nil, context: context)[0]
    }

    /// Records page images as sheets of their own, in this order, a hundred in one step.
    ///
    /// - Parameter batchID: of the file whose pages they are, if it is followed.
    /// - Returns: an answer for each page.
    /// - Throws: `ExamStoreError` with `.notFound` when there is no such exam.
    package func addSheets(
        _ pages: [UploadedPage], to exam: ExamID, batchID: String?, context: EventContext
    ) async throws -> [SheetAddition] {
        var additions: [SheetAddition] = []
        for start in stride(from: 0, to: pages.count, by: Self.sheetsAtOnce) {
            let part = Array(pages[start..<min(start + Self.sheetsAtOnce, pages.count)])
            additions += try await update {
                try await addition(of: part, to: exam, batchID: batchID, context: context)
            }
        }
        return additions
    }

    /// A step holds up everybody else for some milliseconds.
    private static let sheetsAtOnce = 100

    /// How many of the pages would become new sheets.
    package func newSheets(among pages: [UploadedPage], in exam: ExamID) async throws -> Int {
        let ids = Set(pages.map { $0.sheetID(in: exam) })
        return try await known(Array(ids), at: place(of: exam)).count { !$0 }
    }

    private func known(_ ids: [SheetID], at place: ExamPlace) async throws -> [Bool] {
        try await client.pipeline(ids.map { ["EXISTS", place.sheet($0)] }).map { $0.int == 1 }
    }

    private func addition(
        of pages: [UploadedPage], to id: ExamID, batchID: String?, context: EventContext
    ) async throws -> (RecordTransaction?, [SheetAddition]) {
        let place = place(of: id)
        guard let exam = try await exam(id) else { throw ExamStoreError.noExam(id) }
        let ids = pages.map { $0.sheetID(in: id) }
        var seen: Set<SheetID> = []
        let additions = zip(ids, try await known(ids, at: place)).map { id, isKnown in
            SheetAddition(sheetID: id, isNew: seen.insert(id).inserted && !isKnown)
        }
        guard additions.contains(where: \.isNew) else { return (nil, additions) }
        var transaction = RecordTransaction()
        transaction.require(place.record, field: "version", equals: String(exam.version))
        for (page, addition) in zip(pages, additions) where addition.isNew {
            var sheet = Sheet(
                id: addition.sheetID, examID: id, status: .uploaded,
                pages: [SheetPage(blob: page.blob, file: page.file, filePage: page.filePage)], maxScore: exam.maxScore,
                correlationID: context.correlationID, uploadedBy: context.actor ?? exam.owner, uploadedAt: .now)
            sheet.batches = batchID.map { [$0] }
            transaction.requireMissing(place.sheet(sheet.id))
            transaction.append(sheet.id.rawValue, to: place.sheets, counters: place.counters, field: "sequence")
            try write(sheet, over: nil, at: place, to: &transaction)
            let event = SheetUploaded(sheetID: sheet.id, blob: page.blob, filePage: page.filePage)
            transaction.publish(try EventEnvelope(event, examID: id, context: context), on: place.events)
        }
        return (transaction, additions)
    }

    /// The sheet as stored; a sheet joined to another has `joinedTo` and nothing else of interest.
    package func sheet(_ id: SheetID) async throws -> Sheet? {
        try await stored(id)?.sheet
    }

    /// Sheets of an exam in order of upload; those joined to others are left out.
    ///
    /// - Parameter limit: 1 to 500.
    /// - Throws: `ExamStoreError` with `.invalidCursor`.
    package func sheets(
        exam: ExamID, status: SheetStatus?, cursor: String?, limit: Int
    ) async throws -> Page<SheetSummary> {
        let place = place(of: exam)
        let limit = min(max(limit, 1), 500)
        let set = status.map { place.sheets(in: $0) } ?? place.sheets
        let start =
            try cursor.map { text in
                guard let sequence = Int64(text) else { throw ExamStoreError.invalidCursor }
                return "(\(sequence)"
            } ?? "-inf"
        let reply = try await client.send(
            ["ZRANGE", set, start, "+inf", "BYSCORE", "LIMIT", 0, limit + 1, "WITHSCORES"])
        let entries = reply.fields ?? []
        let part = entries.prefix(limit)
        let values = try await client.pipeline(
            part.map { ["HGET", place.sheet(SheetID($0.name)), "summary"] })
        let items = try zip(part, values).compactMap { entry, value in
            value.isNull ? nil : try decode(SheetSummary.self, value, of: "sheet \(entry.name)")
        }
        let last = part.last?.value.double.map { String(Int64($0)) }
        return Page(items: items, nextCursor: entries.count > limit ? last : nil)
    }

    /// Number of sheets of an exam in each status.
    package func sheetCounts(exam: ExamID) async throws -> [SheetStatus: Int] {
        let place = place(of: exam)
        let statuses = SheetStatus.allCases
        let replies = try await client.pipeline(statuses.map { ["ZCARD", place.sheets(in: $0)] })
        return Dictionary(uniqueKeysWithValues: zip(statuses, replies.map { $0.int ?? 0 }))
    }

    /// Rises with every change of a mark of the exam.
    package func resultsVersion(exam: ExamID) async throws -> Int {
        try await client.send(["HGET", place(of: exam).counters, "results"]).int ?? 0
    }

    /// Rises with every change of the exam, and of any of its sheets: what is made of them is the same while it stands.
    package func contentVersion(of exam: Exam) async throws -> Int {
        // Neither part ever falls, so the sum is another one whenever either is.
        exam.version + (try await client.send(["HGET", place(of: exam.id).counters, "changes"]).int ?? 0)
    }

    func stored(_ id: SheetID) async throws -> StoredSheet? {
        guard let exam = id.examID else { return nil }
        let reply = try await client.send(["HMGET", place(of: exam).sheet(id), "json", "revision"])
        guard let values = reply.array, values.count == 2, !values[0].isNull else { return nil }
        return StoredSheet(
            sheet: try decode(Sheet.self, values[0], of: "sheet \(id)"), revision: values[1].int ?? 0)
    }

    /// Writes `sheet` on condition that `old` still stands, and moves it between the lists of its status.
    func write(
        _ sheet: Sheet, over old: StoredSheet?, at place: ExamPlace, to transaction: inout RecordTransaction
    ) throws {
        let key = place.sheet(sheet.id)
        if let old {
            transaction.require(key, field: "revision", equals: String(old.revision))
        }
        transaction.set(
            key,
            [
                "json": try JSON.encode(sheet), "summary": try JSON.encode(SheetSummary(sheet)),
                "revision": (old?.revision ?? 0) + 1,
            ])
        transaction.add(1, to: place.counters, field: "changes")
        let id = sheet.id.rawValue
        if sheet.joinedTo != nil {
            transaction.copy(id, from: place.sheets, to: place.joined)
            transaction.remove(id, from: place.sheets)
            if let old { transaction.remove(id, from: place.sheets(in: old.sheet.status)) }
        } else if old?.sheet.status != sheet.status {
            transaction.copy(id, from: place.sheets, to: place.sheets(in: sheet.status))
            if let old { transaction.remove(id, from: place.sheets(in: old.sheet.status)) }
        }
    }
}
