/// One thing wrong with a request, and where.
package struct FieldProblem: Codable, Equatable, Sendable {
    /// A JSON pointer (RFC 6901), `/questions/3/answer`.
    package var pointer: String
    /// What is wrong and what is expected.
    package var detail: String

    package init(pointer: String, detail: String) {
        self.pointer = pointer
        self.detail = detail
    }
}

extension ExamDraft {
    /// All that is wrong with the draft; empty when it can be stored.
    package func problems() -> [FieldProblem] {
        var problems: [FieldProblem] = []
        func check(_ holds: Bool, _ pointer: String, _ detail: String) {
            if !holds { problems.append(FieldProblem(pointer: pointer, detail: detail)) }
        }
        check(!title.allSatisfy(\.isWhitespace), "/title", "must not be empty")
        check(title.count <= 200, "/title", "must have at most 200 characters")
        check(subject.count <= 100, "/subject", "must have at most 100 characters")
        check((1...20).contains(studentIDDigits), "/student_id_digits", "must be 1 to 20")
        check((1...300).contains(questions.count), "/questions", "must hold 1 to 300 questions")
        var numbers: Set<Int> = []
        for (index, question) in questions.enumerated() {
            check(
                numbers.insert(question.number).inserted, "/questions/\(index)/number",
                "\(question.number) stands twice")
            problems += question.problems(at: "/questions/\(index)")
        }
        return problems
    }
}

extension Question {
    func problems(at pointer: String) -> [FieldProblem] {
        var problems: [FieldProblem] = []
        func check(_ holds: Bool, _ field: String, _ detail: String) {
            if !holds { problems.append(FieldProblem(pointer: "\(pointer)/\(field)", detail: detail)) }
        }
        check((1...999).contains(number), "number", "must be 1 to 999")
        check(points > 0 && points <= 1000, "points", "must be above 0 and at most 1000")
        check(points.isFinite && Score.isInSteps(points), "points", "has steps of 0.01")
        // Also where the kind of question makes no use of them: whatever is stored is within its bounds.
        check((2...10).contains(options ?? 4), "options", "must be 2 to 10")
        check((tolerance ?? 0) >= 0 && (tolerance ?? 0).isFinite, "tolerance", "must be 0 or more")
        check((1...12).contains(digits ?? 1), "digits", "must be 1 to 12")
        check((0...5).contains(maxEdits ?? 0), "max_edits", "must be 0 to 5")
        check((15...230).contains(height ?? 60), "height", "must be 15 to 230 mm")
        check((answers ?? []).count <= 50, "answers", "must hold at most 50 answers")
        let worth = (rubric ?? []).allSatisfy { $0.points > 0 && $0.points <= 1000 }
        check(worth, "rubric", "must give points above 0 and at most 1000 for each criterion")
        switch kind {
        case .singleChoice, .multipleChoice, .trueFalse:
            let letters = (answer ?? "").map { String($0) }
            check(!letters.isEmpty, "answer", "is required")
            check(letters.allSatisfy(optionLetters.contains), "answer", "must use \(optionLetters.joined()) only")
            check(Set(letters).count == letters.count, "answer", "names an option twice")
            check(kind == .multipleChoice || letters.count <= 1, "answer", "must be one option")
        case .numeric:
            check(answer.flatMap(Self.number(from:)) != nil, "answer", "must be a number such as 3.14")
            if let digits, let answer {
                check(answer.count <= digits, "digits", "is too small for the answer \(answer)")
            }
        case .shortText:
            let accepted = acceptedAnswers
            check(!accepted.isEmpty, "answers", "must hold at least one answer")
            let haveText = accepted.allSatisfy { $0.count <= 100 && !$0.allSatisfy(\.isWhitespace) }
            check(haveText, "answers", "must have 1 to 100 characters each, not only spaces")
        case .open:
            let sum = Score.sum((rubric ?? []).map(\.points))
            check(rubric == nil || sum == Score.rounded(points), "rubric", "adds up to \(sum), not to the points")
        }
        return problems
    }

    /// The accepted texts of a short answer: `answers`, or `answer` alone.
    package var acceptedAnswers: [String] {
        answers ?? answer.map { [$0] } ?? []
    }

    /// A plain decimal number: optional sign, digits, at most one point; nil for anything else and for one too large.
    package static func number(from text: String) -> Double? {
        let body = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
        let isPlain =
            body.utf8.allSatisfy { ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")) || $0 == UInt8(ascii: ".") }
        guard isPlain, body.utf8.count(where: { $0 == UInt8(ascii: ".") }) <= 1, body != "." else { return nil }
        return Double(text.hasPrefix("+") ? String(body) : text).flatMap { $0.isFinite ? $0 : nil }
    }
}
