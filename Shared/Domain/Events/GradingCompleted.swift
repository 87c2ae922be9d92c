/// A sheet was marked.
package struct GradingCompleted: EventPayload {
    package static let type: EventType = "grading.completed"

    package var sheetID: SheetID
    package var studentID: String?
    package var status: SheetStatus
    package var score: Double
    package var maxScore: Double
    package var marks: [Mark]
    package var flags: [SheetFlag]
    package var needsReview: Bool
    package var readingVersion: Int
    package var keyVersion: Int
    /// How many reviews of the sheet had been settled; nil for none.
    package var reviewVersion: Int?

    package init(
        sheetID: SheetID, studentID: String?, status: SheetStatus, score: Double, maxScore: Double,
        marks: [Mark], flags: [SheetFlag], needsReview: Bool, readingVersion: Int, keyVersion: Int,
        reviewVersion: Int? = nil
    ) {
        self.sheetID = sheetID
        self.studentID = studentID
        self.status = status
        self.score = score
        self.maxScore = maxScore
        self.marks = marks
        self.flags = flags
        self.needsReview = needsReview
        self.readingVersion = readingVersion
        self.keyVersion = keyVersion
        self.reviewVersion = reviewVersion
    }

    enum CodingKeys: String, CodingKey {
        case sheetID = "sheet_id"
        case studentID = "student_id"
        case status
        case score
        case maxScore = "max_score"
        case marks
        case flags
        case needsReview = "needs_review"
        case readingVersion = "reading_version"
        case keyVersion = "key_version"
        case reviewVersion = "review_version"
    }

    package var subject: String { sheetID.rawValue }
}
