package import Domain
import Glibc

/// A student: who it is, what it answers, and what that is worth.
package struct SimulatedStudent: Sendable {
    package var id: String
    package var name: String
    /// About −2 to 2; 0 answers two thirds of the questions right.
    package var ability: Double
    /// What the student means to answer, by field name, the student id included; `""` for no answer, both letters for
    /// two marks in a single choice. Open questions are missing.
    package var truth: [String: String]
    /// The points each machine-marked question should get, by number.
    package var points: [Int: Double]

    package var score: Double { Score.sum(points.values) }

    /// The `index`-th student of a class.
    package static func make(
        index: Int, exam: Exam, rates: SimulationRates, using generator: inout SeededGenerator
    ) -> SimulatedStudent {
        let id = studentID(index: index, digits: exam.studentIDDigits)
        let ability = generator.normal()
        var truth = ["student_id": id]
        var points: [Int: Double] = [:]
        for question in exam.questions where question.kind != .open {
            // Each question is as hard for everyone: its difficulty follows from its number.
            var difficulty = SeededGenerator(seed: UInt64(question.number))
            let chance = 1 / (1 + exp(difficulty.normal() - ability - 0.9))
            let answer: String
            if generator.chance(rates.blanks) {
                answer = ""
            } else if question.kind == .singleChoice, generator.chance(rates.doubleMarks) {
                answer = question.optionLetters.shuffled(using: &generator).prefix(2).sorted().joined()
            } else if generator.chance(chance) {
                answer = question.rightAnswer(using: &generator)
            } else {
                answer = question.wrongAnswer(exam: exam, using: &generator)
            }
            truth[question.fieldName] = answer
            points[question.number] = question.expectedPoints(for: answer)
        }
        return SimulatedStudent(
            id: id, name: names.randomElement(using: &generator) ?? "", ability: ability, truth: truth, points: points)
    }

    /// Different for each index as long as the digits allow; all digits occur.
    static func studentID(index: Int, digits: Int) -> String {
        let prefix = digits >= 8 ? "2026" : ""
        let free = min(digits - prefix.count, 15)
        var modulus = 1
        for _ in 0..<free { modulus *= 10 }
        // 7,919 has no factor in common with 10, so no id comes twice before all have come.
        let number = "\((index * 7919 + 1357) % modulus)"
        let id = prefix + String(repeating: "0", count: free - number.count) + number
        return String(repeating: "1", count: digits - id.count) + id
    }

    private static let names = [
        "王小明", "李华", "张伟", "刘洋", "陈静", "赵敏", "Anna Smith", "Tom Brown", "Maria Garcia", "周杰",
    ]
}

extension Question {
    fileprivate func rightAnswer(using generator: inout SeededGenerator) -> String {
        kind == .shortText ? acceptedAnswers.randomElement(using: &generator) ?? "" : answer ?? ""
    }

    fileprivate func wrongAnswer(exam: Exam, using generator: inout SeededGenerator) -> String {
        switch kind {
        case .singleChoice, .trueFalse:
            return optionLetters.filter { $0 != answer }.randomElement(using: &generator) ?? ""
        case .multipleChoice:
            // One option forgotten or one too many.
            let key = answer ?? ""
            guard let letter = optionLetters.randomElement(using: &generator) else { return key }
            let letters = optionLetters.filter { key.contains($0) != ($0 == letter) }
            return letters.isEmpty ? optionLetters.first { $0 != letter } ?? letter : letters.joined()
        case .numeric:
            let key = answer ?? "0"
            let places = key.indices.filter { key[$0].isNumber }
            guard let place = places.dropLast(places.count > 2 ? 1 : 0).randomElement(using: &generator),
                let digit = key[place].wholeNumberValue
            else { return key }
            // Never a leading zero, which nobody writes.
            let wrong = 1 + (digit + Int.random(in: 0...7, using: &generator)) % 9
            return key.replacingCharacter(at: place, with: "\(wrong == digit ? wrong % 9 + 1 : wrong)")
        case .shortText:
            let others = exam.questions.flatMap { $0.kind == .shortText ? $0.acceptedAnswers : [] }
                .filter { !acceptedAnswers.contains($0) }
            return others.randomElement(using: &generator) ?? "不知道"
        case .open:
            return ""
        }
    }

    /// What `answer` is worth by the rules of marking.
    func expectedPoints(for answer: String) -> Double {
        guard !answer.isEmpty else { return 0 }
        switch kind {
        case .singleChoice, .trueFalse:
            return answer == self.answer ? points : 0
        case .multipleChoice:
            let key = Set(self.answer ?? "")
            let right = answer.count { key.contains($0) }
            let wrong = answer.count - right
            if right == key.count, wrong == 0 { return points }
            switch partialCredit ?? .none {
            case .none: return 0
            case .proportional: return Score.rounded(points * Double(max(0, right - wrong)) / Double(key.count))
            case .gaokao: return wrong == 0 && right > 0 ? Score.rounded(points / 2) : 0
            }
        case .numeric:
            guard let value = Self.number(from: answer), let key = self.answer.flatMap(Self.number(from:)) else {
                return 0
            }
            return abs(value - key) <= (tolerance ?? 0) + 1e-9 ? points : 0
        case .shortText:
            return acceptedAnswers.contains(answer) ? points : 0
        case .open:
            return 0
        }
    }
}

extension String {
    fileprivate func replacingCharacter(at index: Index, with text: String) -> String {
        String(self[..<index]) + text + String(self[self.index(after: index)...])
    }
}
