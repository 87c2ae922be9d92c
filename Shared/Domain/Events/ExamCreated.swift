/// An exam was created.
package struct ExamCreated: EventPayload {
    package static let type: EventType = "exam.created"

    package var examID: ExamID
    package var title: String
    package var owner: UserID
    /// Number of questions.
    package var questions: Int
    package var maxScore: Double

    package init(examID: ExamID, title: String, owner: UserID, questions: Int, maxScore: Double) {
        self.examID = examID
        self.title = title
        self.owner = owner
        self.questions = questions
        self.maxScore = maxScore
    }

    enum CodingKeys: String, CodingKey {
        case examID = "exam_id"
        case title
        case owner
        case questions
        case maxScore = "max_score"
    }

    package var subject: String { examID.rawValue }
}
