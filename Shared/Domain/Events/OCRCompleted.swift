/// A page image was read.
package struct OCRCompleted: EventPayload {
    package static let type: EventType = "ocr.completed"

    /// The sheet the page belongs to now.
    package var sheetID: SheetID
    /// The sheet the page was uploaded as; differs when it was joined to another.
    package var uploadedAs: SheetID
    package var readingVersion: Int
    package var studentID: String?
    /// The page of the layout.
    package var page: Int
    /// Number of fields read.
    package var fields: Int
    /// Number of fields with a flag.
    package var flagged: Int
    /// Time from bytes to fields.
    package var milliseconds: Double

    package init(
        sheetID: SheetID, uploadedAs: SheetID, readingVersion: Int, studentID: String?, page: Int, fields: Int,
        flagged: Int, milliseconds: Double
    ) {
        self.sheetID = sheetID
        self.uploadedAs = uploadedAs
        self.readingVersion = readingVersion
        self.studentID = studentID
        self.page = page
        self.fields = fields
        self.flagged = flagged
        self.milliseconds = milliseconds
    }

    enum CodingKeys: String, CodingKey {
        case sheetID = "sheet_id"
        case uploadedAs = "uploaded_as"
        case readingVersion = "reading_version"
        case studentID = "student_id"
        case page
        case fields
        case flagged
        case milliseconds
    }

    package var subject: String { sheetID.rawValue }
}
