/// The statistics of an exam changed.
package struct QualityUpdated: EventPayload {
    package static let type: EventType = "quality.updated"

    package var examID: ExamID
    /// Sheets with a score.
    package var count: Int
    package var mean: Double?
    package var standardDeviation: Double?
    /// Sheets that wait for people.
    package var needsReview: Int

    package init(examID: ExamID, count: Int, mean: Double?, standardDeviation: Double?, needsReview: Int) {
        self.examID = examID
        self.count = count
        self.mean = mean
        self.standardDeviation = standardDeviation
        self.needsReview = needsReview
    }

    enum CodingKeys: String, CodingKey {
        case examID = "exam_id"
        case count
        case mean
        case standardDeviation = "standard_deviation"
        case needsReview = "needs_review"
    }

    package var subject: String { examID.rawValue }
}
