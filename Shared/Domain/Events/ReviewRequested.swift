/// People must look at a sheet.
package struct ReviewRequested: EventPayload {
    package static let type: EventType = "review.requested"

    package var sheetID: SheetID
    /// The questions whose marks are doubtful or open.
    package var questions: [Int]
    package var flags: [SheetFlag]
    /// How many reviews of the sheet had been settled; nil for none.
    package var reviewVersion: Int?

    package init(sheetID: SheetID, questions: [Int], flags: [SheetFlag], reviewVersion: Int? = nil) {
        self.sheetID = sheetID
        self.questions = questions
        self.flags = flags
        self.reviewVersion = reviewVersion
    }

    enum CodingKeys: String, CodingKey {
        case sheetID = "sheet_id"
        case questions
        case flags
        case reviewVersion = "review_version"
    }

    package var subject: String { sheetID.rawValue }
}
