/// A person decided a mark, or something else about a sheet that waited for people.
///
/// Version 1 was of marks alone: it always had a question and a new score.
package struct GradingReviewed: EventPayload {
    package static let type: EventType = "grading.reviewed"
    package static let schemaVersion = 2

    package var sheetID: SheetID
    /// nil when it is not about one question: whose sheet it is, or a page as a whole.
    package var question: Int?
    package var oldScore: Double?
    package var newScore: Double?
    package var by: UserID
    package var review: ReviewID?
    /// Where the sheet stands now.
    package var status: SheetStatus?

    package init(
        sheetID: SheetID, question: Int?, oldScore: Double?, newScore: Double?, by: UserID, review: ReviewID? = nil,
        status: SheetStatus? = nil
    ) {
        self.sheetID = sheetID
        self.question = question
        self.oldScore = oldScore
        self.newScore = newScore
        self.by = by
        self.review = review
        self.status = status
    }

    enum CodingKeys: String, CodingKey {
        case sheetID = "sheet_id"
        case question
        case oldScore = "old_score"
        case newScore = "new_score"
        case by
        case review = "review_id"
        case status
    }

    package var subject: String { sheetID.rawValue }
}
