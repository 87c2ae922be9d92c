/// A sheet could not be marked, finally.
package struct GradingFailed: EventPayload {
    package static let type: EventType = "grading.failed"

    package var sheetID: SheetID
    package var message: String

    package init(sheetID: SheetID, message: String) {
        self.sheetID = sheetID
        self.message = message
    }

    enum CodingKeys: String, CodingKey {
        case sheetID = "sheet_id"
        case message
    }

    package var subject: String { sheetID.rawValue }
}
