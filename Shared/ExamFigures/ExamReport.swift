package import Domain

/// All that a printed report of an exam says. Texts are clean: one line, nothing invisible, of bounded length.
package struct ExamReport: Codable, Equatable, Sendable {
    package struct Student: Codable, Equatable, Sendable {
        package var student: String
        package var score: Double
        package var maxScore: Double
        /// People still have to look at the sheet, or pages are missing.
        package var isOpen: Bool
    }

    package var title: String
    package var subject: String
    /// Of the exam's creation, in UTC: `2026-01-31`.
    package var date: String
    package var maxScore: Double
    package var sheets: SheetCounts
    package var scores: ScoreFigures
    /// In the order of the exam.
    package var questions: [QuestionFigures]
    /// By student number.
    package var students: [Student]
    /// Students beyond `ReportTally.maxStudents`, who are in the figures but have no row.
    package var studentsLeftOut: Int
}

/// Sheets of an exam by where they stand; those joined to others are not counted.
package struct SheetCounts: Codable, Equatable, Sendable {
    package var uploaded = 0
    package var recognized = 0
    package var graded = 0
    package var review = 0
    package var failed = 0

    package var total: Int { uploaded + recognized + graded + review + failed }

    package init() {}

    package mutating func add(_ status: SheetStatus) {
        switch status {
        case .uploaded: uploaded += 1
        case .recognized: recognized += 1
        case .graded: graded += 1
        case .review: review += 1
        case .failed: failed += 1
        }
    }
}
