package import Domain
internal import EventBus
internal import Redis

/// The pages of one uploaded file, followed until all have their marks or have failed: a batch of the kind `upload`.
///
/// A sheet knows the files its pages came in (`Sheet.batches`) until its next marking or its failure counts them, in the
/// script that records it, so each page is counted exactly once.
extension ExamStore {
    package static let uploadKind = "upload"

    /// The batch of a file's pages. The same file uploaded again to the exam has the same.
    package static func uploadBatchID(exam: ExamID, blob: BlobID) -> String {
        "\(uploadKind):\(exam):\(blob.rawValue.prefix(32))"
    }

    /// Begins to follow a file, with `batch.started`, before its first sheet is recorded. Idempotent: of a file that is
    /// followed, or was, nothing changes.
    ///
    /// - Parameter total: pages that will become new sheets.
    package func beginUpload(
        exam id: ExamID, batchID: String, total: Int, context: EventContext
    ) async throws {
        let place = place(of: id)
        try await update { () -> (RecordTransaction?, Void) in
            guard try await client.send(["HGET", place.uploads, batchID]).isNull else { return (nil, ()) }
            var transaction = RecordTransaction()
            transaction.requireExisting(place.record)
            transaction.require(place.uploads, field: batchID, equals: nil)
            transaction.set(place.uploads, [batchID: total])
            let started = BatchStarted(batchID: batchID, kind: Self.uploadKind, total: total)
            transaction.publish(try EventEnvelope(started, examID: id, context: context), on: place.events)
            return (transaction, ())
        }
    }

    /// True when the file is followed, or was.
    package func isUploadKnown(exam: ExamID, batchID: String) async throws -> Bool {
        try await !client.send(["HGET", place(of: exam).uploads, batchID]).isNull
    }

    /// Counts the pages that `sheet` has settled with this change, in the transaction that records it. About twenty
    /// steps of each file are told, whatever its size, and its end.
    func countPages(
        of sheet: inout Sheet, at place: ExamPlace, context: EventContext, in transaction: inout RecordTransaction
    ) async throws {
        let batches = sheet.batches ?? []
        sheet.batches = nil
        for batchID in Set(batches) {
            let done = "\(batchID):done"
            let known = try await client.send(["HMGET", place.uploads, batchID, done]).array ?? []
            guard known.count == 2, let total = known[0].int else { continue }
            let before = known[1].int ?? 0
            let after = before + batches.count { $0 == batchID }
            let completed = BatchCompleted(batchID: batchID, kind: Self.uploadKind, total: total)
            transaction.count(
                after - before, field: done, in: place.uploads, upTo: total,
                publishing: try EventEnvelope(completed, examID: place.exam, context: context), on: place.events)
            let step = max(1, total / 20)
            guard after < total, before / step != after / step else { continue }
            // What is told is true: nobody else has counted meanwhile.
            transaction.require(place.uploads, field: done, equals: known[1].string)
            let progress = BatchProgress(batchID: batchID, kind: Self.uploadKind, done: after, total: total)
            transaction.publish(try EventEnvelope(progress, examID: place.exam, context: context), on: place.events)
        }
    }
}
