/// Read one page image.
package struct OCRTask: TaskPayload {
    package static let type: TaskType = "ocr_processing"
    package static let defaultPriority = TaskPriority.normal

    package var sheetID: SheetID
    package var blob: BlobID
    /// The page inside the blob, 1 for the first.
    package var filePage: Int

    package init(sheetID: SheetID, blob: BlobID, filePage: Int) {
        self.sheetID = sheetID
        self.blob = blob
        self.filePage = filePage
    }

    enum CodingKeys: String, CodingKey {
        case sheetID = "sheet_id"
        case blob
        case filePage = "file_page"
    }

    package var taskID: TaskID { TaskID("ocr:\(sheetID)") }
}
