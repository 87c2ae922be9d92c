import BlobStore
import Domain
import ExamStore
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
        _ files: [ReceivedFile], to exam: ExamID, context: EventContext
    ) async throws -> (sheets: [UploadedSheet], rejected: [RejectedFile]) {
        var sheets: [UploadedSheet] = []
        var rejected: [RejectedFile] = []
        for file in files {
            do {
                let result = try await look(into: file)
                rejected += result.refused.map { RejectedFile(file: $0.name, failure: $0.failure) }
                sheets += try await keep(result.pages, of: file, in: exam, context: context)
            } catch let failure as IntakeFailure {
                rejected.append(RejectedFile(file: file.name, failure: failure))
            }
        }
        return (sheets, rejected)
    }

    private func look(into file: ReceivedFile) async throws -> IntakeResult {
        guard file.blob != nil else {
            throw IntakeFailure(.tooLarge, "The file is larger than this server takes. Split it and upload the parts.")
        }
        return try await limit.run {
            try await intake.pages(ofFileAt: file.file.path, name: file.name) { bytes in
                try await blobs.store(bytes).rawValue
            }
        }
    }

    private func keep(
        _ pages: [IntakePage], of file: ReceivedFile, in exam: ExamID, context: EventContext
    ) async throws -> [UploadedSheet] {
        if pages.contains(where: { $0.content == .upload }), let blob = file.blob {
            try await blobs.ingest(fileAt: file.file.path, id: blob)
            file.file.release()
        } else {
            file.file.discard()
        }
        var sheets: [UploadedSheet] = []
        var drafts: [TaskDraft] = []
        for page in pages {
            let blob: BlobID? =
                switch page.content {
                case .upload: file.blob
                case .stored(let id): BlobID(id)
                }
            guard let blob else { continue }
            let addition = try await store.addSheet(
                exam: exam, blob: blob, file: page.name, filePage: page.page + 1, context: context)
            let task = OCRTask(sheetID: addition.sheetID, blob: blob, filePage: page.page + 1)
            if addition.isNew { drafts.append(try TaskDraft(task, examID: exam, context: context)) }
            sheets.append(
                UploadedSheet(
                    id: addition.sheetID, taskID: task.taskID, file: page.name, page: page.page + 1,
                    isDuplicate: !addition.isNew))
        }
        _ = try await queue.submit(batch: drafts)
        return sheets
    }
}
