/// An exam was deleted with all its sheets.
package struct ExamDeleted: EventPayload {
    package static let type: EventType = "exam.deleted"

    package var examID: ExamID
    package var title: String

    package init(examID: ExamID, title: String) {
        self.examID = examID
        self.title = title
    }

    enum CodingKeys: String, CodingKey {
        case examID = "exam_id"
        case title
    }

    package var subject: String { examID.rawValue }
}
