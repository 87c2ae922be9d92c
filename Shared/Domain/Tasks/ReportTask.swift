/// Make a file about an exam.
package struct ReportTask: TaskPayload {
    package static let type: TaskType = "report_generation"
    package static let defaultPriority = TaskPriority.low

    package enum Kind: String, Codable, Sendable {
        /// A row a student.
        case resultsCSV = "results_csv"
    }

    package var kind: Kind
    package var examID: ExamID
    /// The exam's counter of changes to marks; a report of the same one is the same file.
    package var resultsVersion: Int

    package init(kind: Kind, examID: ExamID, resultsVersion: Int) {
        self.kind = kind
        self.examID = examID
        self.resultsVersion = resultsVersion
    }

    enum CodingKeys: String, CodingKey {
        case kind
        case examID = "exam_id"
        case resultsVersion = "results_version"
    }

    package var taskID: TaskID { TaskID("\(kind.rawValue):\(examID):v\(resultsVersion)") }
}
