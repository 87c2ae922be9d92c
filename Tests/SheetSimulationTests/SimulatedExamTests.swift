import Domain
import Testing

@testable import SheetSimulation

@Suite struct SimulatedExamTests {
    @Test(arguments: [1, 2, 7, 8, 40, 100, 300])
    func `The demonstration exam of any size is valid and has all kinds of questions`(count: Int) {
        let draft = SimulatedExam.make(questions: count, seed: 3)
        #expect(draft.problems().isEmpty)
        #expect(draft.questions.count == count)
        #expect(draft.questions.map(\.number) == Array(1...count))
        if count >= 40 {
            let kinds = Set(draft.questions.map(\.kind))
            #expect(kinds == [.singleChoice, .multipleChoice, .trueFalse, .numeric, .shortText])
            #expect(draft.questions.contains { $0.digits != nil })
            #expect(draft.questions.contains { $0.kind == .numeric && $0.digits == nil })
        }
    }

    @Test(arguments: 1...20)
    func `Student ids fill the grid and differ`(digits: Int) {
        let count = digits == 1 ? 10 : 100
        let ids = (0..<count).map { SimulatedStudent.studentID(index: $0, digits: digits) }
        #expect(ids.allSatisfy { $0.count == digits && $0.allSatisfy { $0.isNumber } })
        #expect(Set(ids).count == count)
    }

    @Test func `Able students score higher, and every answer is one the sheet can hold`() {
        let exam = Exam.demonstration
        let sheets = SimulatedSheets(exam: exam, seed: 5, rates: .difficult)
        let students = (0..<200).map(sheets.student).sorted { $0.ability < $1.ability }
        let scores = students.map(\.score)
        let weak = scores.prefix(50).reduce(0, +) / 50
        let strong = scores.suffix(50).reduce(0, +) / 50
        #expect(strong > weak + exam.maxScore * 0.15)
        #expect(Set(scores).count > 50)
        for student in students {
            for question in exam.questions {
                let answer = student.truth[question.fieldName] ?? "missing"
                switch question.kind {
                case .singleChoice: #expect(answer.count <= 2 && answer.allSatisfy { "ABCD".contains($0) })
                case .multipleChoice: #expect(answer == String(answer.sorted()))
                case .trueFalse: #expect(["T", "F", ""].contains(answer))
                case .numeric: #expect(answer.isEmpty || Question.number(from: answer) != nil)
                case .shortText, .open: #expect(answer != "missing")
                }
                #expect(answer.count <= question.digits ?? 100)
            }
        }
    }

    @Test(arguments: [
        (Question.Kind.singleChoice, "B", Question.PartialCredit.none, "B", 4.0), (.singleChoice, "B", .none, "AB", 0),
        (.multipleChoice, "ACD", .none, "AC", 0), (.multipleChoice, "ACD", .gaokao, "AC", 2),
        (.multipleChoice, "ACD", .gaokao, "ABC", 0), (.multipleChoice, "ABCD", .proportional, "ABC", 3),
        (.multipleChoice, "ACD", .proportional, "ABC", 1.33), (.numeric, "3.14", .none, "3.15", 4),
        (.numeric, "3.14", .none, "3.16", 0), (.trueFalse, "T", .none, "", 0),
    ])
    func `The expected points follow the rules of marking`(
        kind: Question.Kind, key: String, credit: Question.PartialCredit, answer: String, points: Double
    ) {
        let question = Question(
            number: 1, kind: kind, points: 4, options: 4, answer: key, partialCredit: credit, tolerance: 0.01)
        #expect(question.expectedPoints(for: answer) == points)
    }
}

extension Exam {
    static var demonstration: Exam {
        Exam(
            id: "0123456789abcdef0123456789abcdef", draft: SimulatedExam.make(questions: 40, seed: 1),
            owner: "teacher", createdAt: Timestamp(milliseconds: 0), updatedAt: Timestamp(milliseconds: 0), version: 1,
            keyVersion: 1)
    }
}
