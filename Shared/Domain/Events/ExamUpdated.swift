/// An exam was changed.
package struct ExamUpdated: EventPayload {
    package static let type: EventType = "exam.updated"

    package var examID: ExamID
    package var version: Int
    /// The version that last changed the answer key, points or rules.
    package var keyVersion: Int
    /// True when sheets marked before must be marked again.
    package var keyChanged: Bool

    package init(examID: ExamID, version: Int, keyVersion: Int, keyChanged: Bool) {
        self.examID = examID
        self.version = version
        self.keyVersion = keyVersion
        self.keyChanged = keyChanged
    }

    enum CodingKeys: String, CodingKey {
        case examID = "exam_id"
        case version
        case keyVersion = "key_version"
        case keyChanged = "key_changed"
    }

    package var subject: String { examID.rawValue }
}
