import Domain
import Testing

@testable import Grading

/// One answer and what it earns.
struct Answer: Sendable, CustomTestStringConvertible {
    let question: Question
    let value: String
    var flags: [FieldFlag] = []
    let score: Double
    var marked: [MarkFlag] = []

    init(
        _ question: Question, _ value: String, _ flags: [FieldFlag] = [], earns score: Double,
        marked: [MarkFlag] = []
    ) {
        self.question = question
        self.value = value
        self.flags = flags
        self.score = score
        self.marked = marked
    }

    var testDescription: String { "\(question.kind) \(value) \(flags)" }
}

@Suite("Rules of marking")
struct RuleTests {
    private static let single = Question(number: 1, kind: .singleChoice, points: 2, answer: "B")
    private static let trueFalse = Question(number: 1, kind: .trueFalse, points: 1.5, answer: "F")

    private static func multiple(_ credit: Question.PartialCredit?) -> Question {
        Question(number: 1, kind: .multipleChoice, points: 5, options: 5, answer: "ACD", partialCredit: credit)
    }

    private static func numeric(_ answer: String, _ tolerance: Double? = nil) -> Question {
        Question(number: 1, kind: .numeric, points: 3, answer: answer, tolerance: tolerance)
    }

    private static func text(_ answers: [String], edits: Int? = nil) -> Question {
        Question(number: 1, kind: .shortText, points: 4, answers: answers, maxEdits: edits)
    }

    @Test("An answer earns what the rules say, and carries its doubts", arguments: choices + numbers + texts)
    func answer(_ answer: Answer) {
        let reading = FieldReading(value: answer.value, confidence: 0.9, flags: answer.flags)
        let mark = Grader.mark(answer.question, reading: reading)
        #expect(mark.score == answer.score)
        #expect(mark.flags == answer.marked)
        #expect(mark.max == answer.question.points)
        #expect(mark.by == "machine")
        #expect(mark.question == 1)
    }

    static let choices = [
        Answer(single, "B", earns: 2),
        Answer(single, "C", earns: 0),
        Answer(single, "", earns: 0, marked: [.blank]),
        Answer(single, "", [.blank], earns: 0, marked: [.blank]),
        Answer(single, "BC", [.multiple], earns: 0, marked: [.multiple]),
        Answer(single, "B", [.faint], earns: 2, marked: [.faint]),
        Answer(single, "B", [.erased, .uncertain], earns: 2, marked: [.erased, .uncertain]),
        Answer(trueFalse, "F", earns: 1.5),
        Answer(trueFalse, "T", earns: 0),
        Answer(trueFalse, "TF", [.multiple], earns: 0, marked: [.multiple]),
        Answer(multiple(nil), "ACD", earns: 5),
        Answer(multiple(nil), "AC", earns: 0),
        Answer(multiple(Question.PartialCredit.none), "AC", earns: 0),
        Answer(multiple(Question.PartialCredit.none), "ABCD", earns: 0),
        Answer(multiple(.proportional), "ACD", earns: 5),
        Answer(multiple(.proportional), "AC", earns: 3.33),
        Answer(multiple(.proportional), "A", earns: 1.67),
        Answer(multiple(.proportional), "ABC", earns: 1.67),
        Answer(multiple(.proportional), "AB", earns: 0),
        Answer(multiple(.proportional), "BE", earns: 0),
        Answer(multiple(.proportional), "ABCDE", earns: 1.67),
        Answer(multiple(.proportional), "", earns: 0, marked: [.blank]),
        Answer(multiple(.gaokao), "ACD", earns: 5),
        Answer(multiple(.gaokao), "AC", earns: 2.5),
        Answer(multiple(.gaokao), "D", earns: 2.5),
        Answer(multiple(.gaokao), "ACE", earns: 0),
        Answer(multiple(.gaokao), "ABCD", earns: 0),
        Answer(multiple(.gaokao), "B", earns: 0),
        Answer(multiple(.gaokao), "", [.blank], earns: 0, marked: [.blank]),
        Answer(multiple(.gaokao), "A", [.faint], earns: 2.5, marked: [.faint]),
    ]

    static let numbers = [
        Answer(numeric("3.14", 0.01), "3.14", earns: 3),
        Answer(numeric("3.14", 0.01), "3.15", earns: 3),
        Answer(numeric("3.14", 0.01), "3.13", earns: 3),
        Answer(numeric("3.14", 0.01), "3.151", earns: 0),
        Answer(numeric("3.14"), "3.140", earns: 3),
        Answer(numeric("3.14"), "3.15", earns: 0),
        Answer(numeric("0.3"), "0.3", earns: 3),
        Answer(numeric("42"), "0042", earns: 3),
        Answer(numeric("42"), "４２", earns: 3),
        Answer(numeric("3.14"), "３．１４", earns: 3),
        Answer(numeric("-5"), "－５", earns: 3),
        Answer(numeric("-5"), "5", earns: 0),
        Answer(numeric("1200"), "1 200", earns: 3),
        Answer(numeric("1000000", 0), "1000001", earns: 0),
        Answer(numeric("42"), "", [.blank], earns: 0, marked: [.blank]),
        Answer(numeric("42"), "", earns: 0, marked: [.blank]),
        Answer(numeric("42"), "4?", [.uncertain], earns: 0, marked: [.uncertain, .notANumber]),
        Answer(numeric("42"), "4l", earns: 0, marked: [.notANumber]),
        Answer(numeric("42"), "nan", earns: 0, marked: [.notANumber]),
        Answer(numeric("42"), String(repeating: "9", count: 400), earns: 0, marked: [.notANumber]),
    ]

    static let texts = [
        Answer(text(["Photosynthesis"]), "photosynthesis", earns: 4),
        Answer(text(["Photosynthesis"]), " Photo synthesis ", earns: 4),
        Answer(text(["Photosynthesis"]), "Ｐｈｏｔｏｓｙｎｔｈｅｓｉｓ", earns: 4),
        Answer(text(["ﬁsh"]), "fish", earns: 4),
        Answer(text(["é"]), "e\u{301}", earns: 4),
        Answer(text(["光合作用"]), "光合作用", earns: 4),
        Answer(text(["光合作用"]), "光　合作用", earns: 4),
        Answer(text(["光合作用"]), "光和作用", earns: 0),
        Answer(text(["光合作用"], edits: 1), "光和作用", earns: 4),
        Answer(text(["photosynthesis"], edits: 2), "fotosynthesis", earns: 4),
        Answer(text(["photosynthesis"], edits: 1), "fotosynthesis", earns: 0),
        Answer(text(["photosynthesis"], edits: 2), "photosynthesys", earns: 4),
        // An edit in a word of few letters is another word.
        Answer(text(["cat"], edits: 5), "car", earns: 4),
        Answer(text(["cat"], edits: 5), "dog", earns: 0),
        Answer(text(["ox"], edits: 5), "ax", earns: 0),
        Answer(text(["H2O", "water", "水"]), "水", earns: 4),
        Answer(text(["H2O", "water", "水"]), "Ｗater", earns: 4),
        Answer(text(["H2O", "water", "水"]), "冰", earns: 0),
        Answer(text(["water"]), "", [.blank], earns: 0, marked: [.blank]),
        Answer(text(["water"]), "", [.unreadable], earns: 0, marked: [.unreadable]),
        Answer(text(["water"]), "water", [.uncertain], earns: 4, marked: [.uncertain]),
        Answer(Question(number: 1, kind: .shortText, points: 4, answer: "water"), "WATER", earns: 4),
    ]

    @Test(
        "An open answer is for people, whatever was read", arguments: [[], [FieldFlag.blank], [.faint, .uncertain]])
    func open(_ flags: [FieldFlag]) {
        let question = Question(number: 9, kind: .open, points: 12)
        let mark = Grader.mark(question, reading: FieldReading(value: "", confidence: 1, flags: flags))
        #expect(mark.score == nil)
        #expect(mark.needsReview)
        #expect(mark.flags.contains(.open))
        #expect(mark.max == 12)
    }

    @Test("A question whose page is missing has no score and waits for the page, not for people")
    func missingPage() {
        let exam = ExamOf.questions([Self.single, Question(number: 2, kind: .open, points: 3)])
        let marks = Grader.marks(for: exam, fields: ["q1": FieldReading(value: "B", confidence: 1)])
        #expect(marks.map(\.question) == [1, 2])
        #expect(marks[0].score == 2)
        #expect(marks[1].score == nil)
        #expect(marks[1].flags == [.missingPage])
        #expect(!marks[1].needsReview)
    }

    @Test("Only a plain blank and a missing page need nobody", arguments: MarkFlag.allCases)
    func review(_ flag: MarkFlag) {
        let mark = Mark(question: 1, score: 0, max: 1, flags: [flag])
        #expect(mark.needsReview == (flag != .blank && flag != .missingPage))
    }
}

enum ExamOf {
    static func questions(_ questions: [Question]) -> Exam {
        Exam(
            id: "e", draft: ExamDraft(title: "T", subject: "", studentIDDigits: 4, questions: questions), owner: "li",
            createdAt: Timestamp(milliseconds: 0), updatedAt: Timestamp(milliseconds: 0), version: 1, keyVersion: 1)
    }
}
