/// A worker began to mark a sheet.
package struct GradingStarted: EventPayload {
    package static let type: EventType = "grading.started"

    package var sheetID: SheetID
    package var readingVersion: Int
    package var keyVersion: Int
    package var worker: String

    package init(sheetID: SheetID, readingVersion: Int, keyVersion: Int, worker: String) {
        self.sheetID = sheetID
        self.readingVersion = readingVersion
        self.keyVersion = keyVersion
        self.worker = worker
    }

    enum CodingKeys: String, CodingKey {
        case sheetID = "sheet_id"
        case readingVersion = "reading_version"
        case keyVersion = "key_version"
        case worker
    }

    package var subject: String { sheetID.rawValue }
}
