/// A person decided a mark.
package struct GradingReviewed: EventPayload {
    package static let type: EventType = "grading.reviewed"

    package var sheetID: SheetID
    package var question: Int
    package var oldScore: Double?
    package var newScore: Double
    package var by: UserID

    package init(sheetID: SheetID, question: Int, oldScore: Double?, newScore: Double, by: UserID) {
        self.sheetID = sheetID
        self.question = question
        self.oldScore = oldScore
        self.newScore = newScore
        self.by = by
    }

    enum CodingKeys: String, CodingKey {
        case sheetID = "sheet_id"
        case question
        case oldScore = "old_score"
        case newScore = "new_score"
        case by
    }

    package var subject: String { sheetID.rawValue }
}
