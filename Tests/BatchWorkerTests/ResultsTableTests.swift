import Domain
import Testing

@testable import BatchWorker

@Suite("The table of results")
struct ResultsTableTests {
    private static let exam = Exam(
        id: "e",
        draft: ExamDraft(
            title: "T", subject: "", studentIDDigits: 4,
            questions: [3, 1, 20].map { Question(number: $0, kind: .open, points: 2) }),
        owner: "li", createdAt: .now, updatedAt: .now, version: 1, keyVersion: 1)

    private static func sheet(_ student: String?, score: Double?, marks: [Int: Double?]) -> Sheet {
        Sheet(
            id: SheetID.make(exam: "e"), examID: "e", status: .graded, pages: [], studentID: student, score: score,
            maxScore: 6, marks: marks.map { Mark(question: $0.key, score: $0.value, max: 2) }, correlationID: "c",
            uploadedBy: "li", uploadedAt: .now, readingVersion: 1, keyVersion: 1)
    }

    private static func csv(_ sheets: [Sheet]) -> String {
        var table = ResultsTable(exam: exam)
        for sheet in sheets { table.add(sheet) }
        return table.csv()
    }

    @Test("Columns are the exam's questions in their order, rows the students in theirs")
    func layout() {
        let text = Self.csv([
            Self.sheet("0002", score: 3.5, marks: [1: 2, 3: 1.5, 20: 0]),
            Self.sheet("0001", score: 6, marks: [20: 2, 3: 2, 1: 2]),
        ])
        #expect(text == "student_id,score,max_score,q3,q1,q20\r\n0001,6,6,2,2,2\r\n0002,3.5,6,1.5,2,0\r\n")
    }

    @Test("What nobody decided is empty, not nought")
    func undecided() {
        let text = Self.csv([Self.sheet("0001", score: 2, marks: [1: 2, 3: Double?.none])])
        #expect(text.hasSuffix("0001,2,6,,2,\r\n"))
    }

    @Test("A sheet without marks has no row; one without a student has, and two of one student have two")
    func rows() {
        let text = Self.csv([
            Self.sheet("0001", score: nil, marks: [:]), Self.sheet(nil, score: 1, marks: [1: 1]),
            Self.sheet("0002", score: 1, marks: [1: 1]), Self.sheet("0002", score: 2, marks: [1: 2]),
        ])
        #expect(
            text
                == "student_id,score,max_score,q3,q1,q20\r\n,1,6,,1,\r\n0002,1,6,,1,\r\n0002,2,6,,2,\r\n")
    }

    @Test(
        "A cell is quoted where it must be and is no formula",
        arguments: [
            ("20260001", "20260001"), ("12?4", "12?4"), ("a,b", "\"a,b\""), ("a\"b", "\"a\"\"b\""),
            ("a\nb", "\"a\nb\""), ("a\r\nb", "\"a\r\nb\""), ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"),
            ("@SUM(1,2)", "\"'@SUM(1,2)\""), ("\tx", "'\tx"), ("李", "李"),
            // A comma or quote with a combining mark behind it is one character, and still a comma or quote.
            (",\u{301}x", "\",\u{301}x\""), ("\"\u{301}", "\"\"\"\u{301}\""), ("=\u{301}1", "'=\u{301}1"),
        ])
    func cells(_ student: String, _ cell: String) {
        let text = Self.csv([Self.sheet(student, score: 1, marks: [:])])
        let expected = "student_id,score,max_score,q3,q1,q20\r\n\(cell),1,6,,,\r\n"
        #expect(Array(text.utf8) == Array(expected.utf8))
    }

    @Test("Scores are written as they are", arguments: [(0.0, "0"), (0.1, "0.1"), (33.33, "33.33"), (1000, "1000")])
    func numbers(_ score: Double, _ text: String) {
        #expect(Self.csv([Self.sheet("1", score: score, marks: [:])]).contains("1,\(text),6,,,\r\n"))
    }
}
