internal import BlobStore
internal import Domain
internal import EventBus
internal import ExamStore
internal import ScanReader
internal import TaskQueue

/// Reads one page image and records what is on it.
///
/// Idempotent: a page that has a reading keeps it. A page that cannot be read fails alone: the fault of the image is
/// recorded on the sheet at once; a fault of the reader is tried again first.
struct OCRTaskHandler: TaskHandler {
    let store: ExamStore
    let blobs: BlobStore
    let bus: EventBus
    let reader: ScanReader
    let source: String
    let replica: String

    func run(_ task: OCRTask, context: TaskContext) async throws -> TaskResult {
        try TaskResult(try await read(task, context: context))
    }

    private func read(_ task: OCRTask, context: TaskContext) async throws -> OCROutcome {
        guard let examID = task.sheetID.examID else {
            throw TaskFailure(retryable: false, message: "\(task.sheetID) is no sheet")
        }
        guard let layout = try await store.layout(of: examID), let sheet = try await store.sheet(task.sheetID) else {
            return OCROutcome(status: "deleted")
        }
        if let joined = sheet.joinedTo { return OCROutcome(status: "read_before", sheetID: joined) }
        if sheet.readingVersion > 0 { return OCROutcome(status: "read_before", sheetID: sheet.id) }
        let events = context.eventContext(source: source)
        let started = OCRStarted(sheetID: task.sheetID, attempt: context.attempt, worker: replica)
        _ = try await bus.publish(
            try EventEnvelope(started, examID: examID, context: events),
            deduplicationKey: "ocr.started:\(context.taskID):\(context.attempt)")
        do {
            let scan = ScanSource(path: blobs.path(of: task.blob), page: task.filePage - 1)
            let reading = try await reader.read(scan, layout: layout, expectedExam: examID)
            let owner = try await store.record(reading, of: task.sheetID, context: events)
            return OCROutcome(status: "read", sheetID: owner)
        } catch let failure as ReadingFailure {
            try Task.checkCancellation()
            if failure.code.isFaultOfReader && !context.isLastAttempt {
                throw TaskFailure(retryable: true, message: failure.description)
            }
            try await store.record(failure, of: task.sheetID, context: events)
            return OCROutcome(status: "failed", sheetID: task.sheetID, code: failure.code.rawValue)
        }
    }

    func failedFinally(_ task: OCRTask, error: TaskFailure, context: TaskContext) async throws {
        let failure = ReadingFailure(.readerUnavailable, "The page could not be read: \(error)")
        try await store.record(failure, of: task.sheetID, context: context.eventContext(source: source))
    }
}

/// The result kept with the task.
struct OCROutcome: Codable, Sendable {
    let status: String
    var sheetID: SheetID?
    var code: String?

    enum CodingKeys: String, CodingKey {
        case status
        case sheetID = "sheet_id"
        case code
    }
}

extension ReadingFailure.Code {
    /// True when another try may succeed.
    fileprivate var isFaultOfReader: Bool {
        switch self {
        case .timedOut, .readerCrashed, .readerUnavailable: true
        case .notAnImage, .damagedImage, .imageTooLarge, .blankPage, .noSheetFound, .wrongExam, .codeUnreadable: false
        }
    }
}
