package import Domain

/// The demonstration exam.
package struct SimulatedExam {
    /// An exam of `questions` questions (1 to 300) of all kinds a machine marks.
    package static func make(questions count: Int, seed: UInt64) -> ExamDraft {
        var generator = SeededGenerator(seed: seed)
        // Shares of a good school test; the first kind takes what rounding leaves.
        let multiple = count / 8
        let judgements = count / 8
        let grids = count / 10
        let numbers = count / 10
        let texts = count / 10
        let single = count - multiple - judgements - grids - numbers - texts
        var questions: [Question] = []
        func add(_ count: Int, _ make: (Int) -> Question) {
            for index in 0..<count {
                var question = make(index)
                question.number = questions.count + 1
                questions.append(question)
            }
        }
        add(single) { _ in
            Question(number: 0, kind: .singleChoice, points: 2, options: 4, answer: letter(of: 4, &generator))
        }
        add(multiple) { index in
            let key = ["A", "B", "C", "D", "E"].filter { _ in generator.chance(0.5) }
            let answer = key.count < 2 ? "BD" : key.joined()
            return Question(
                number: 0, kind: .multipleChoice, points: 4, options: 5, answer: answer,
                partialCredit: [.gaokao, .proportional, Question.PartialCredit.none][index % 3])
        }
        add(judgements) { _ in
            Question(number: 0, kind: .trueFalse, points: 1, answer: generator.chance(0.5) ? "T" : "F")
        }
        add(numbers) { index in
            let answer = number(index: index + 1, &generator)
            return Question(
                number: 0, kind: .numeric, points: 3, answer: answer, tolerance: answer.contains(".") ? 0.01 : 0)
        }
        add(texts) { index in
            Question(number: 0, kind: .shortText, points: 3, answers: words[index % words.count], maxEdits: 0)
        }
        add(grids) { index in
            let answer = number(index: index, &generator)
            return Question(
                number: 0, kind: .numeric, points: 3, answer: answer, tolerance: answer.contains(".") ? 0.01 : 0,
                digits: 4)
        }
        return ExamDraft(
            title: "示范考试 Demonstration Exam", subject: "综合 General", studentIDDigits: 8, questions: questions)
    }

    private static func letter(of options: Int, _ generator: inout SeededGenerator) -> String {
        ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"].prefix(options).randomElement(using: &generator) ?? "A"
    }

    /// In turn an integer, a decimal and a negative number, at most four characters.
    private static func number(index: Int, _ generator: inout SeededGenerator) -> String {
        switch index % 3 {
        case 0: "\(Int.random(in: 12...998, using: &generator))"
        case 1: "\(Int.random(in: 1...9, using: &generator)).\(Int.random(in: 11...99, using: &generator))"
        default: "-\(Int.random(in: 2...99, using: &generator))"
        }
    }

    /// Accepted answers, Chinese and English.
    static let words = [
        ["光合作用", "photosynthesis"], ["牛顿", "Newton"], ["北京", "Beijing"], ["氧气", "oxygen"], ["细胞", "cell"],
        ["长江", "Yangtze"], ["重力", "gravity"], ["地球", "Earth"], ["心脏", "heart"], ["李白", "Li Bai"],
    ]
}
