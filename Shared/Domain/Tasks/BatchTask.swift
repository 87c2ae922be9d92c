/// Work on all sheets of an exam.
package struct BatchTask: TaskPayload {
    package static let type: TaskType = "batch_processing"
    package static let defaultPriority = TaskPriority.normal

    package enum Kind: String, Codable, Sendable {
        /// Mark every sheet again because the key changed.
        case remark
    }

    package var kind: Kind
    package var examID: ExamID
    package var keyVersion: Int

    package init(kind: Kind, examID: ExamID, keyVersion: Int) {
        self.kind = kind
        self.examID = examID
        self.keyVersion = keyVersion
    }

    enum CodingKeys: String, CodingKey {
        case kind
        case examID = "exam_id"
        case keyVersion = "key_version"
    }

    package var taskID: TaskID { TaskID("\(kind.rawValue):\(examID):k\(keyVersion)") }
}
