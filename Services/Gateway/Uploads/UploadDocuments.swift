import Domain
import HTTPTypes
import ScanReader

/// One page image of an upload and the sheet it became.
struct UploadedSheet: Encodable, Sendable {
    let id: SheetID
    let taskID: TaskID
    /// The name the sender gave the file, for people; with the entry's name when it came in an archive.
    let file: String
    /// The page inside the file, 1 for the first.
    let page: Int
    /// True when the same image was uploaded to this exam before; nothing was done then.
    let isDuplicate: Bool

    enum CodingKeys: String, CodingKey {
        case id
        case taskID = "task_id"
        case file, page
        case isDuplicate = "duplicate"
    }
}

/// A file of several pages that is followed until all of them are marked: the subject of `batch.*` events.
struct UploadBatch: Encodable, Sendable {
    let id: String
    let file: String
    /// In the file; those that were uploaded before are not waited for.
    let pages: Int
}

/// A file, or an entry of an archive, that was not taken.
struct RejectedFile: Encodable, Equatable, Sendable {
    let file: String
    let code: IntakeFailure.Code
    let message: String

    init(file: String, failure: IntakeFailure) {
        self.file = file
        code = failure.code
        message = failure.message
    }
}

/// The answer to an upload of which at least one page was taken.
struct UploadDocument: Encodable {
    let sheets: [UploadedSheet]
    let batches: [UploadBatch]
    let rejected: [RejectedFile]
    let correlationID: CorrelationID

    enum CodingKeys: String, CodingKey {
        case sheets, batches, rejected
        case correlationID = "correlation_id"
    }
}

extension Problem {
    /// An upload of which nothing was taken.
    static func nothingTaken(_ rejected: [RejectedFile]) -> Problem {
        let codes = Set(rejected.map(\.code))
        let status: HTTPResponse.Status =
            switch codes.count == 1 ? codes.first : nil {
            case .notAnImage, .nestedArchive: .unsupportedMediaType
            case .tooLarge, .tooManyPages, .archiveTooLarge: .contentTooLarge
            case .unavailable: .serviceUnavailable
            case .storageFull: .insufficientStorage
            case .empty, .damaged, .noScans, nil: .unprocessableContent
            }
        let first = rejected.first.map { "\($0.file): \($0.message)" } ?? ""
        let more = rejected.count > 1 ? " (and \(rejected.count - 1) more)" : ""
        var problem = Problem(
            status, "upload-rejected", "No file was taken. \(first)\(more)",
            errors: rejected.enumerated().map {
                FieldProblem(pointer: "/file/\($0.offset)", detail: $0.element.message)
            })
        problem.rejected = rejected
        return problem
    }
}
