/// A page image could not be read, finally.
package struct OCRFailed: EventPayload {
    package static let type: EventType = "ocr.failed"

    package var sheetID: SheetID
    /// A code of `ReadingFailure`.
    package var code: String
    package var message: String

    package init(sheetID: SheetID, code: String, message: String) {
        self.sheetID = sheetID
        self.code = code
        self.message = message
    }

    enum CodingKeys: String, CodingKey {
        case sheetID = "sheet_id"
        case code
        case message
    }

    package var subject: String { sheetID.rawValue }
}
