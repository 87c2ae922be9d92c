import Domain

/// A small deterministic generator (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

extension Exam {
    /// An exam of any shape the validation lets through.
    static func random(seed: UInt64) -> Exam {
        var generator = SeededGenerator(seed: seed)
        let isSorted = Bool.random(using: &generator)
        let count = Int.random(in: 1...300, using: &generator)
        var kinds = (0..<count).map { _ in Question.Kind.allCases.randomElement(using: &generator) ?? .open }
        if isSorted { kinds.sort { $0.rawValue < $1.rawValue } }
        let questions = kinds.enumerated().map { index, kind in
            Question.random(number: index + 1, kind: kind, using: &generator)
        }
        let words = ["期中考试", "Midterm", "数学", "Examination", "第一学期"]
        let title = (0...Int.random(in: 0...20, using: &generator)).map { _ in
            words.randomElement(using: &generator) ?? ""
        }
        return Exam(
            id: "0123456789abcdef0123456789abcdef",
            draft: ExamDraft(
                title: String(title.joined(separator: " ").prefix(200)), subject: "科学 Science",
                studentIDDigits: Int.random(in: 1...20, using: &generator), questions: questions),
            owner: "teacher", createdAt: Timestamp(milliseconds: 0), updatedAt: Timestamp(milliseconds: 0), version: 1,
            keyVersion: 1)
    }
}

extension Question {
    static func random(number: Int, kind: Kind, using generator: inout SeededGenerator) -> Question {
        var question = Question(number: number, kind: kind, points: 2)
        switch kind {
        case .singleChoice, .multipleChoice:
            question.options = Int.random(in: 2...10, using: &generator)
            question.answer = "A"
        case .trueFalse:
            question.answer = "T"
        case .numeric:
            question.answer = "1"
            question.digits = Bool.random(using: &generator) ? Int.random(in: 1...12, using: &generator) : nil
        case .shortText:
            question.answers = [String(repeating: "光", count: Int.random(in: 1...30, using: &generator))]
        case .open:
            question.height = Double.random(in: 15...230, using: &generator)
        }
        return question
    }
}
