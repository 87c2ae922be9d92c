/// A worker began to read a page image.
package struct OCRStarted: EventPayload {
    package static let type: EventType = "ocr.started"

    package var sheetID: SheetID
    /// 1 for the first.
    package var attempt: Int
    package var worker: String

    package init(sheetID: SheetID, attempt: Int, worker: String) {
        self.sheetID = sheetID
        self.attempt = attempt
        self.worker = worker
    }

    enum CodingKeys: String, CodingKey {
        case sheetID = "sheet_id"
        case attempt
        case worker
    }

    package var subject: String { sheetID.rawValue }
}
