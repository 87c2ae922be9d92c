package import Domain

/// Makes the report of an exam from its sheets, one at a time.
///
/// The figures are of all sheets with a score, as in `results.csv`, also those people still have to look at. Memory
/// grows by one short row a student, and not beyond `maxStudents`.
package struct ReportTally: Sendable {
    /// Rows of the table of students.
    package static let maxStudents = 100_000
    private static let maxTitle = 400
    private static let maxStudentNumber = 40

    private let exam: Exam
    private var sheets = SheetCounts()
    private var scores = ScoreTally()
    private var questions: [QuestionTally]
    private var students: [ExamReport.Student] = []
    private var studentsLeftOut = 0

    package init(exam: Exam) {
        self.exam = exam
        questions = exam.questions.map { QuestionTally($0) }
    }

    package mutating func add(_ sheet: Sheet) {
        sheets.add(sheet.status)
        guard let score = sheet.score else { return }
        scores.add(score, of: sheet.maxScore)
        let marks = Dictionary(sheet.marks.map { ($0.question, $0) }, uniquingKeysWith: { first, _ in first })
        let fields = sheet.fields
        for (index, question) in exam.questions.enumerated() {
            questions[index].add(marks[question.number], field: fields[question.fieldName], score: score)
        }
        guard students.count < Self.maxStudents else {
            studentsLeftOut += 1
            return
        }
        students.append(
            ExamReport.Student(
                student: PrintableText.line(sheet.studentID ?? "", maxScalars: Self.maxStudentNumber), score: score,
                maxScore: sheet.maxScore, isOpen: sheet.status != .graded))
    }

    /// The same sheets give the same report, in whatever order they came.
    package var report: ExamReport {
        ExamReport(
            title: PrintableText.line(exam.title, maxScalars: Self.maxTitle),
            subject: PrintableText.line(exam.subject, maxScalars: Self.maxTitle),
            date: String(exam.createdAt.rfc3339.prefix(10)), maxScore: exam.maxScore, sheets: sheets,
            scores: scores.figures, questions: questions.map(\.figures),
            students: students.sorted { ($0.student, $0.score, $0.openRank) < ($1.student, $1.score, $1.openRank) },
            studentsLeftOut: studentsLeftOut)
    }
}

extension ExamReport.Student {
    fileprivate var openRank: Int { isOpen ? 1 : 0 }
}
