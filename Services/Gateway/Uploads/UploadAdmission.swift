import BlobStore
import Domain
import ExamStore
import Logging
import ScanReader
import TaskQueue

/// Turns received files into sheets: looks what is in each, keeps it as a blob, records a sheet a page, and queues the
/// reading of the new ones.
///
/// Idempotent: a sheet's identifier follows from exam and content, a task's from the sheet. A process killed in the
/// middle leaves sheets whose `sheet.uploaded` makes the event router queue them.
struct UploadAdmission: Sendable {
    let store: ExamStore
    let blobs: BlobStore
    let queue: TaskQueue
    let intake: ScanIntake
    /// Looking into a file may take its size in memory.
    private let limit = ConcurrencyLimit(2, maxWaiting: 256)

    init(store: ExamStore, blobs: BlobStore, queue: TaskQueue, intake: ScanIntake) {
        self.store = store
        self.blobs = blobs
        self.queue = queue
        self.intake = intake
    }

    func admit(
        _ files: [ReceivedFile], to exam: ExamID, context: EventContext, logger: Logger
    ) async throws -> UploadOutcome {
        var outcome = UploadOutcome()
        for file in files {
            do {
                let result = try await look(into: file)
                outcome.rejected += result.refused.map { RejectedFile(file: $0.name, failure: $0.failure) }
                try await keep(result.pages, of: file, in: exam, context: context, &outcome)
            } catch let failure as IntakeFailure {
                if failure.isOurs {
                    logger.error("upload not taken", metadata: ["code": "\(failure.code.rawValue)"])
                }
                outcome.rejected.append(RejectedFile(file: file.name, failure: failure))
            }
        }
        return outcome
    }

    private func look(into file: ReceivedFile) async throws -> IntakeResult {
        guard file.blob != nil else {
            throw IntakeFailure(
                .tooLarge, "The file has more than \(file.file.maxBytes >> 20) MiB. Split it and upload the parts.")
        }
        return try await limit.run {
            try await intake.pages(ofFileAt: file.file.path, name: file.name, keeper: keeper)
        }
    }

    private var keeper: EntryKeeper {
        EntryKeeper {
            blobs.temporaryPath()
        } keep: { path throws(IntakeFailure) in
            do {
                return try await blobs.ingest(fileAt: path).rawValue
            } catch let error as BlobStoreError where error.code == .full {
                throw .storageFull
            } catch {
                throw IntakeFailure(.unavailable, "The scan cannot be stored now. Try again.")
            }
        }
    }

    private func keep(
        _ pages: [IntakePage], of file: ReceivedFile, in exam: ExamID, context: EventContext,
        _ outcome: inout UploadOutcome
    ) async throws {
        guard let fileBlob = file.blob else { return }
        if pages.contains(where: { $0.content == .upload }) {
            try await blobs.ingest(fileAt: file.file.path, id: fileBlob)
            file.file.release()
        } else {
            file.file.discard()
        }
        let uploaded = pages.map { page in
            let blob: BlobID =
                switch page.content {
                case .upload: fileBlob
                case .stored(let id): BlobID(id)
                }
            return UploadedPage(blob: blob, file: page.name, filePage: page.page + 1)
        }
        let batchID = try await follow(uploaded, of: fileBlob, in: exam, context: context)
        if let batchID {
            outcome.batches.append(UploadBatch(id: batchID, file: file.name, pages: pages.count))
        }
        let additions = try await store.addSheets(uploaded, to: exam, batchID: batchID, context: context)
        var drafts: [TaskDraft] = []
        for (page, addition) in zip(uploaded, additions) {
            let task = OCRTask(sheetID: addition.sheetID, blob: page.blob, filePage: page.filePage)
            if addition.isNew { drafts.append(try TaskDraft(task, examID: exam, context: context)) }
            outcome.sheets.append(
                UploadedSheet(
                    id: addition.sheetID, taskID: task.taskID, file: page.file, page: page.filePage,
                    isDuplicate: !addition.isNew))
        }
        _ = try await queue.submit(batch: drafts)
    }

    /// Has the pages of a file followed until they are marked, when there are several.
    ///
    /// - Returns: nil when they are not, and were not before.
    private func follow(
        _ pages: [UploadedPage], of blob: BlobID, in exam: ExamID, context: EventContext
    ) async throws -> String? {
        guard pages.count > 1 else { return nil }
        let batchID = ExamStore.uploadBatchID(exam: exam, blob: blob)
        let total = try await store.newSheets(among: pages, in: exam)
        guard total > 0 else {
            return try await store.isUploadKnown(exam: exam, batchID: batchID) ? batchID : nil
        }
        try await store.beginUpload(exam: exam, batchID: batchID, total: total, context: context)
        return batchID
    }
}

/// What became of the files of an upload.
struct UploadOutcome: Sendable {
    var sheets: [UploadedSheet] = []
    var batches: [UploadBatch] = []
    var rejected: [RejectedFile] = []
}
