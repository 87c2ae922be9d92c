import Domain
import ScanReader

extension Schema {
    static let sheetID = string(1...129)

    // MARK: Uploads

    static let uploadForm = object([
        "exam_id": examID,
        "file": array(of: binary).with(
            "PNG, JPEG, TIFF, PDF or ZIP of these; the content counts, not the name."),
    ])

    static let rejectedFile = object(
        "RejectedFile", ["file": string, "code": choice(of: IntakeFailure.Code.self), "message": string])

    static let upload = object(
        "Upload",
        [
            "sheets": array(
                of: object(
                    "UploadedSheet",
                    [
                        "id": sheetID, "task_id": string, "file": string,
                        "page": integer(from: 1).with("Inside the file."),
                        "duplicate": boolean.with("The same image was uploaded to this exam before."),
                    ])),
            "batches": array(
                of: object(
                    "UploadBatch",
                    [
                        "id": string.with("The `batch_id` of `batch.started`, `batch.progress` and `batch.completed`."),
                        "file": string, "pages": integer(from: 2),
                    ])
            ).with("The files of several pages; `progress` subscriptions tell how far each is."),
            "rejected": array(of: rejectedFile), "correlation_id": string,
        ])

    // MARK: Sheets

    private static let sheetFlags = array(of: choice(of: SheetFlag.self))
    private static let failure = object(
        "ReadingFailure", ["code": choice(of: ReadingFailure.Code.self), "message": string])

    static let sheetSummary = object(
        "SheetSummary",
        [
            "id": sheetID, "status": choice(of: SheetStatus.self), "student_id": string.orNull,
            "score": number.orNull, "max_score": number, "needs_review": boolean, "flags": sheetFlags,
            "error": failure.orNull, "file": string.orNull, "reading_version": integer, "key_version": integer,
        ])

    static let mark = object(
        "Mark",
        [
            "question": integer(1...999), "score": number.orNull.with("null while nobody has marked it."),
            "max": number, "by": string.with("machine, or the user who decided."),
            "flags": array(of: choice(of: MarkFlag.self)),
        ])

    static let field = object(
        "FieldReading",
        [
            "value": string.with("The marked options joined in order, digits by column, or the text; empty: blank."),
            "confidence": number(0...1), "flags": array(of: choice(of: FieldFlag.self)),
        ])

    private static let page = object(
        "SheetPage",
        [
            "number": integer.orNull, "file": string, "file_page": integer(from: 1),
            "flags": array(of: choice(of: PageFlag.self)), "milliseconds": number.orNull,
        ])

    static let sheet = object(
        "Sheet",
        [
            "id": sheetID, "exam_id": examID, "status": choice(of: SheetStatus.self), "student_id": string.orNull,
            "score": number.orNull, "max_score": number, "needs_review": boolean, "flags": sheetFlags,
            "recognition": object(["fields": map(of: field)]), "marks": array(of: mark), "error?": failure,
            "pages": array(of: page), "joined_to?": sheetID, "correlation_id": string, "uploaded_by": userID,
            "uploaded_at": time, "reading_version": integer, "key_version": integer,
        ])
}
