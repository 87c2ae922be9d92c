/// Mark one sheet, as read in `readingVersion`, by the key of `keyVersion` (or later ones, if there are by then).
package struct GradingTask: TaskPayload {
    package static let type: TaskType = "grading_execution"
    package static let defaultPriority = TaskPriority.high

    package var sheetID: SheetID
    package var readingVersion: Int
    package var keyVersion: Int

    package init(sheetID: SheetID, readingVersion: Int, keyVersion: Int) {
        self.sheetID = sheetID
        self.readingVersion = readingVersion
        self.keyVersion = keyVersion
    }

    enum CodingKeys: String, CodingKey {
        case sheetID = "sheet_id"
        case readingVersion = "reading_version"
        case keyVersion = "key_version"
    }

    package var taskID: TaskID { TaskID("grade:\(sheetID):r\(readingVersion):k\(keyVersion)") }
}
