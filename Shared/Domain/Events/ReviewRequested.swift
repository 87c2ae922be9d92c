/// People must look at a sheet.
package struct ReviewRequested: EventPayload {
    package static let type: EventType = "review.requested"

    package var sheetID: SheetID
    /// The questions whose marks are doubtful or open.
    package var questions: [Int]
    package var flags: [SheetFlag]

    package init(sheetID: SheetID, questions: [Int], flags: [SheetFlag]) {
        self.sheetID = sheetID
        self.questions = questions
        self.flags = flags
    }

    enum CodingKeys: String, CodingKey {
        case sheetID = "sheet_id"
        case questions
        case flags
    }

    package var subject: String { sheetID.rawValue }
}
