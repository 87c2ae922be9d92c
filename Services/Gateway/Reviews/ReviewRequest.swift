import Domain
import ExamStore
import Grading

/// What a person says about a review, as the request has it, and what that comes to by the exam's rules.
struct ReviewRequest: Decodable {
    var fence: Int
    var score: Double?
    var value: String?
    var comment: String?
    var discard: Bool?

    /// - Throws: `Problem` with 422 and what is wrong where.
    func decision(_ exam: Exam, _ review: Review, _ sheet: Sheet, by user: UserID) throws(Problem) -> ReviewDecision {
        guard let target = review.id.parts?.target else { throw .notFound("review", review.id) }
        let note = comment.flatMap { $0.isEmpty ? nil : $0 }
        try Problem.check([
            ("/comment", (note?.utf8.count ?? 0) <= 8000, "must not be longer than 8000 bytes"),
            ("/value", (value?.count ?? 0) <= 200, "must not be longer than 200 characters"),
            ("/discard", discard != true || target == .studentID, "is for whose sheet it is"),
        ])
        let content: ReviewDecision.Content
        switch target {
        case .question(let number):
            guard let question = exam.questions.first(where: { $0.number == number }) else {
                throw .notFound("question", number)
            }
            content = .mark(try mark(question, by: user, flags: flags(of: number, in: sheet)))
        case .studentID:
            let number = try student(digits: exam.studentIDDigits)
            content = discard == true ? .discard(number) : .student(number)
        case .page:
            try Problem.check([
                ("/score", score == nil, "is for questions"), ("/value", value == nil, "is for questions"),
            ])
            content = .confirm
        }
        return ReviewDecision(fence: fence, comment: note, content: content)
    }

    /// What still holds of a question when somebody has looked: a blank stays blank.
    private func flags(of number: Int, in sheet: Sheet) -> [MarkFlag] {
        (sheet.marks.first { $0.question == number }?.flags ?? []).filter { !$0.needsReview }
    }

    private func mark(_ question: Question, by user: UserID, flags: [MarkFlag]) throws(Problem) -> Mark {
        if let value {
            try Problem.check([
                ("/value", question.kind != .open, "is for questions with a key: give a score"),
                ("/score", score == nil, "must be absent: the key marks the value"),
            ])
            guard let answer = question.answer(value) else {
                throw Self.invalid("/value", "is no answer this question can have")
            }
            var mark = Grader.mark(question, reading: FieldReading(value: answer, confidence: 1))
            mark.by = user.rawValue
            mark.flags.removeAll(where: \.needsReview)
            mark.value = answer
            return mark
        }
        guard let score else {
            throw Self.invalid("/score", question.kind == .open ? "is required" : "or a value is required")
        }
        try Problem.check([
            ("/score", (0...question.points).contains(score), "must be from 0 to \(question.points)"),
            ("/score", Score.isInSteps(score), "must be in steps of 0.01"),
        ])
        return Mark(
            question: question.number, score: Score.rounded(score), max: question.points, by: user.rawValue,
            flags: flags)
    }

    private func student(digits: Int) throws(Problem) -> String {
        let isNumber = value.map { $0.utf8.count == digits && User.isStudentNumber($0) } ?? false
        try Problem.check([
            ("/score", score == nil, "is for questions"),
            ("/value", isNumber, "must be the student's number, \(digits) digits"),
        ])
        return value ?? ""
    }

    private static func invalid(_ pointer: String, _ detail: String) -> Problem {
        .unprocessable([FieldProblem(pointer: pointer, detail: detail)])
    }
}

extension Question {
    /// What a person read, in the form the reader has it; nil for what cannot stand on the sheet.
    fileprivate func answer(_ text: String) -> String? {
        switch kind {
        case .singleChoice, .multipleChoice, .trueFalse:
            let marked = text.uppercased().map { String($0) }
            guard Set(marked).count == marked.count, Set(marked).isSubset(of: optionLetters) else { return nil }
            return marked.sorted { (optionLetters.firstIndex(of: $0) ?? 0) < (optionLetters.firstIndex(of: $1) ?? 0) }
                .joined()
        case .numeric, .shortText: return text
        case .open: return nil
        }
    }
}
