import Testing

@testable import Domain

@Suite("What is wrong with an exam")
struct ExamDraftTests {
    static let good = ExamDraft(
        title: "期中考试", subject: "数学", studentIDDigits: 8,
        questions: [
            Question(number: 1, kind: .singleChoice, points: 2, options: 4, answer: "B"),
            Question(number: 2, kind: .multipleChoice, points: 5, answer: "ACD", partialCredit: .gaokao),
            Question(number: 3, kind: .trueFalse, points: 1, answer: "F"),
            Question(number: 4, kind: .numeric, points: 3, answer: "3.14", tolerance: 0.01, digits: 4),
            Question(number: 5, kind: .shortText, points: 2.25, answers: ["光合作用"], maxEdits: 1),
            Question(
                number: 6, kind: .open, points: 12,
                rubric: [RubricCriterion(text: "Idea", points: 8), RubricCriterion(text: "Form", points: 4)]),
        ])

    struct Fault: Sendable, CustomTestStringConvertible {
        let pointer: String
        let change: @Sendable (inout ExamDraft) -> Void
        let testDescription: String

        init(_ name: String, _ pointer: String, _ change: @escaping @Sendable (inout ExamDraft) -> Void) {
            self.pointer = pointer
            self.change = change
            testDescription = name
        }
    }

    @Test("A good exam has no problem")
    func goodExam() {
        #expect(Self.good.problems().isEmpty)
    }

    @Test("Each fault is told where it is, and nothing else", arguments: faults)
    func fault(_ fault: Fault) {
        var draft = Self.good
        fault.change(&draft)
        let problems = draft.problems()
        #expect(Set(problems.map(\.pointer)) == [fault.pointer], "\(problems)")
        #expect(problems.allSatisfy { !$0.detail.isEmpty })
    }

    static let faults: [Fault] = [
        Fault("no title", "/title") { $0.title = "" },
        Fault("a title of spaces", "/title") { $0.title = " \u{3000}\n" },
        Fault("a long title", "/title") { $0.title = String(repeating: "题", count: 201) },
        Fault("a long subject", "/subject") { $0.subject = String(repeating: "s", count: 101) },
        Fault("no digits", "/student_id_digits") { $0.studentIDDigits = 0 },
        Fault("many digits", "/student_id_digits") { $0.studentIDDigits = 21 },
        Fault("no questions", "/questions") { $0.questions = [] },
        Fault("too many questions", "/questions") { draft in
            draft.questions = (1...301).map { Question(number: $0, kind: .open, points: 1) }
        },
        Fault("a number twice", "/questions/1/number") { $0.questions[1].number = 1 },
        Fault("number 0", "/questions/0/number") { $0.questions[0].number = 0 },
        Fault("number 1000", "/questions/0/number") { $0.questions[0].number = 1000 },
        Fault("no points", "/questions/0/points") { $0.questions[0].points = 0 },
        Fault("negative points", "/questions/0/points") { $0.questions[0].points = -1 },
        Fault("too many points", "/questions/0/points") { $0.questions[0].points = 1000.5 },
        Fault("points that are no number", "/questions/0/points") { $0.questions[0].points = .nan },
        Fault("infinite points", "/questions/0/points") { $0.questions[0].points = .infinity },
        Fault("finer points", "/questions/0/points") { $0.questions[0].points = 1.005 },
        Fault("one option", "/questions/0/options") { draft in
            draft.questions[0].options = 1
            draft.questions[0].answer = "A"
        },
        Fault("eleven options", "/questions/0/options") { $0.questions[0].options = 11 },
        Fault("a choice without an answer", "/questions/0/answer") { $0.questions[0].answer = nil },
        Fault("an empty answer", "/questions/0/answer") { $0.questions[0].answer = "" },
        Fault("an option that is not there", "/questions/0/answer") { $0.questions[0].answer = "E" },
        Fault("a small letter", "/questions/0/answer") { $0.questions[0].answer = "b" },
        Fault("two answers of a single choice", "/questions/0/answer") { $0.questions[0].answer = "AB" },
        Fault("an option twice", "/questions/1/answer") { $0.questions[1].answer = "AA" },
        Fault("neither true nor false", "/questions/2/answer") { $0.questions[2].answer = "A" },
        Fault("true and false", "/questions/2/answer") { $0.questions[2].answer = "TF" },
        Fault("no number", "/questions/3/answer") { $0.questions[3].answer = "pi" },
        Fault("an exponent", "/questions/3/answer") { $0.questions[3].answer = "1e3" },
        Fault("no numeric answer", "/questions/3/answer") { $0.questions[3].answer = nil },
        Fault("a number beyond all", "/questions/3/answer") { draft in
            draft.questions[3].answer = String(repeating: "9", count: 400)
            draft.questions[3].digits = nil
        },
        Fault("a negative tolerance", "/questions/3/tolerance") { $0.questions[3].tolerance = -0.1 },
        Fault("a tolerance that is no number", "/questions/3/tolerance") { $0.questions[3].tolerance = .nan },
        Fault("an answer longer than its columns", "/questions/3/digits") { $0.questions[3].digits = 3 },
        Fault("too many columns", "/questions/3/digits") { $0.questions[3].digits = 13 },
        Fault("no text", "/questions/4/answers") { $0.questions[4].answers = [] },
        Fault("an empty text", "/questions/4/answers") { $0.questions[4].answers = ["a", ""] },
        Fault("a text of spaces, which nobody can match", "/questions/4/answers") {
            $0.questions[4].answers = [" \u{3000}"]
        },
        Fault("a long text", "/questions/4/answers") {
            $0.questions[4].answers = [String(repeating: "a", count: 101)]
        },
        Fault("many texts", "/questions/4/answers") { $0.questions[4].answers = (0...50).map { "answer \($0)" } },
        Fault("six edits", "/questions/4/max_edits") { $0.questions[4].maxEdits = 6 },
        Fault("a low box", "/questions/5/height") { $0.questions[5].height = 14 },
        Fault("a high box", "/questions/5/height") { $0.questions[5].height = 231 },
        Fault("a rubric that does not add up", "/questions/5/rubric") { $0.questions[5].rubric?.removeLast() },
        Fault("a rubric that takes points away", "/questions/5/rubric") { draft in
            draft.questions[5].rubric = [
                RubricCriterion(text: "Idea", points: 14), RubricCriterion(text: "Form", points: -2),
            ]
        },
    ]

    @Test("Several faults are told at once")
    func severalFaults() {
        var draft = Self.good
        draft.title = ""
        draft.questions[0].answer = "Z"
        draft.questions[3].digits = 1
        #expect(draft.problems().map(\.pointer) == ["/title", "/questions/0/answer", "/questions/3/digits"])
    }

    @Test(
        "Numbers are plain decimals",
        arguments: [
            ("3.14", 3.14), ("-2", -2), ("+2", 2), (".5", 0.5), ("5.", 5), ("007", 7), ("", nil), (".", nil),
            ("-", nil), ("+-1", nil), ("--1", nil), ("1.2.3", nil), ("1,5", nil), ("0x10", nil), ("1e3", nil),
            ("nan", nil), ("inf", nil), (" 1", nil), ("３", nil),
        ] as [(String, Double?)])
    func numbers(_ text: String, _ value: Double?) {
        #expect(Question.number(from: text) == value)
    }

    @Test("What a client may leave out has the values of the contract")
    func defaults() throws {
        let text = #"{"title":"T","questions":[{"number":1,"type":"single_choice","points":2,"answer":"B"}]}"#
        let draft = try JSON.decode(ExamDraft.self, from: text)
        #expect(draft.subject == "")
        #expect(draft.studentIDDigits == 8)
        #expect(draft.questions[0].optionLetters == ["A", "B", "C", "D"])
        #expect(draft.problems().isEmpty)
    }
}
