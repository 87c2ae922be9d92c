/// Make a file about an exam.
package struct ReportTask: TaskPayload {
    package static let type: TaskType = "report_generation"
    package static let defaultPriority = TaskPriority.low

    package enum Kind: String, Codable, Sendable {
        /// A row a student.
        case resultsCSV = "results_csv"
        /// Figures, questions and students, to be printed.
        case reportPDF = "report_pdf"
        /// How well the marking went, as JSON.
        case quality
    }

    package var kind: Kind
    package var examID: ExamID
    /// The exam's counter of changes to what the report is about: to marks for the table of results, to anything else;
    /// a report of the same one is the same file.
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
