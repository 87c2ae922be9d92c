internal import Domain

/// The results of an exam as comma-separated values (RFC 4180, UTF-8): a header, then a row a student.
///
/// A score of a question is empty while nobody has decided it. Sheets without marks yet have no row; a sheet whose
/// student number is doubtful has a row with the number as far as it was read, so no mark is lost.
struct ResultsTable {
    private let questions: [Int]
    private var rows: [(student: String, cells: [String])] = []

    init(exam: Exam) {
        questions = exam.questions.map(\.number)
    }

    mutating func add(_ sheet: Sheet) {
        guard let score = sheet.score else { return }
        let scores = Dictionary(
            sheet.marks.map { ($0.question, $0.score) }, uniquingKeysWith: { first, _ in first })
        let cells = questions.map { number in (scores[number] ?? nil).map(Self.number) ?? "" }
        let student = sheet.studentID ?? ""
        rows.append((student, [student, Self.number(score), Self.number(sheet.maxScore)] + cells))
    }

    /// Rows in the order of student numbers.
    func csv() -> String {
        let header = ["student_id", "score", "max_score"] + questions.map { "q\($0)" }
        let sorted = rows.sorted { $0.student < $1.student }.map(\.cells)
        return ([header] + sorted).map { $0.map(Self.cell).joined(separator: ",") + "\r\n" }.joined()
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }

    private static func cell(_ text: String) -> String {
        // A leading =, +, -, @ or tabulator would be a formula in a spreadsheet; no score is negative.
        let isFormula = text.unicodeScalars.first.map { "=+-@\t\r".unicodeScalars.contains($0) } == true
        let safe = (isFormula ? "'" + text : text).unicodeScalars
        // By scalars: a quote with a combining mark behind it is one character, and another one than a quote.
        guard safe.contains(where: { ",\"\r\n".unicodeScalars.contains($0) }) else { return String(safe) }
        var quoted = "\"".unicodeScalars
        for scalar in safe {
            if scalar == "\"" { quoted.append(scalar) }
            quoted.append(scalar)
        }
        quoted.append("\"")
        return String(quoted)
    }
}
