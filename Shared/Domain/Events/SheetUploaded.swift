/// A page image was stored and waits to be read.
package struct SheetUploaded: EventPayload {
    package static let type: EventType = "sheet.uploaded"

    package var sheetID: SheetID
    package var blob: BlobID
    /// The page inside the file, 1 for the first.
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

    package var subject: String { sheetID.rawValue }
}
