import Domain
import Testing

@testable import Grading

@Suite("What holds for every answer")
struct PropertyTests {
    private static func question(_ generator: inout some RandomNumberGenerator) -> Question {
        let kind = Question.Kind.allCases.randomElement(using: &generator) ?? .open
        let points = Double(Int.random(in: 1...100_000, using: &generator)) / 100
        let options = Int.random(in: 2...10, using: &generator)
        var question = Question(number: 1, kind: kind, points: points, options: options)
        let letters = question.optionLetters.shuffled(using: &generator)
        switch kind {
        case .singleChoice, .trueFalse: question.answer = letters[0]
        case .multipleChoice:
            question.answer = letters.prefix(Int.random(in: 1...options, using: &generator)).joined()
            question.partialCredit = Question.PartialCredit.allCases.randomElement(using: &generator)
        case .numeric:
            question.answer = String(Double(Int.random(in: -9999...9999, using: &generator)) / 100)
            question.tolerance = [nil, 0, 0.5, 1000].randomElement(using: &generator) ?? nil
        case .shortText:
            question.answers = ["alpha", "贝塔", "gamma ray"]
            question.maxEdits = Int.random(in: 0...5, using: &generator)
        case .open: break
        }
        return question
    }

    private static func value(
        for question: Question, _ generator: inout some RandomNumberGenerator
    ) -> String {
        if let right = question.answer ?? question.answers?.first, Bool.random(using: &generator) { return right }
        let alphabet = Array("ABCDEFGHIJTF0123456789.-?+ 　alphГβ贝塔\u{301}\0\u{1F600}")
        return String((0..<Int.random(in: 0...12, using: &generator)).map { _ in alphabet.randomElement()! })
    }

    @Test("A score is between nothing and the points, in hundredths, and the same every time")
    func range() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let question = Self.question(&generator)
            let flags = FieldFlag.allCases.filter { _ in Int.random(in: 0..<8, using: &generator) == 0 }
            let reading = FieldReading(
                value: Self.value(for: question, &generator), confidence: 1, flags: flags)
            let mark = Grader.mark(question, reading: reading)
            #expect(mark == Grader.mark(question, reading: reading))
            #expect((mark.score == nil) == (question.kind == .open))
            if let score = mark.score {
                #expect(score >= 0 && score <= question.points, "\(question) \(reading)")
                #expect(score == Score.rounded(score))
            }
            #expect(flags.allSatisfy { mark.flags.contains(MarkFlag($0)) }, "a doubt may not get lost")
        }
    }

    @Test("The right answer earns all points")
    func rightAnswer() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<5000 {
            let question = Self.question(&generator)
            guard let right = question.answer ?? question.answers?.first else { continue }
            let mark = Grader.mark(question, reading: FieldReading(value: right, confidence: 1))
            #expect(mark.score == question.points, "\(question)")
            #expect(mark.flags.isEmpty)
        }
    }

    @Test("The order of marked options and of the key is irrelevant")
    func order() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<5000 {
            var question = Self.question(&generator)
            guard question.kind == .multipleChoice else { continue }
            let marked = question.optionLetters.filter { _ in Bool.random(using: &generator) }
            let straight = Grader.mark(question, reading: FieldReading(value: marked.joined(), confidence: 1))
            question.answer = question.answer.map { String($0.shuffled()) }
            let shuffled = Grader.mark(
                question, reading: FieldReading(value: marked.shuffled().joined(), confidence: 1))
            #expect(straight == shuffled)
        }
    }

    @Test("One more right option never costs points, one more wrong option never earns any")
    func monotony() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<5000 {
            let question = Self.question(&generator)
            guard question.kind == .multipleChoice, let key = question.answer else { continue }
            let marked = question.optionLetters.filter { _ in Bool.random(using: &generator) }
            let before = Grader.mark(question, reading: FieldReading(value: marked.joined(), confidence: 1))
            for letter in question.optionLetters where !marked.contains(letter) {
                let reading = FieldReading(value: (marked + [letter]).joined(), confidence: 1)
                let after = Grader.mark(question, reading: reading)
                if key.contains(letter) {
                    #expect(after.score! >= before.score!, "\(question) \(marked) \(letter)")
                } else {
                    #expect(after.score! <= before.score!, "\(question) \(marked) \(letter)")
                }
            }
        }
    }

    @Test("The edit distance is a distance, and its limit cuts only what is beyond")
    func editDistance() {
        var generator = SystemRandomNumberGenerator()
        func word() -> [Character] {
            (0..<Int.random(in: 0...7, using: &generator)).map { _ in "abc".randomElement()! }
        }
        #expect(TextRule.editDistance(Array("kitten"), Array("sitting"), limit: 9) == 3)
        for _ in 0..<2000 {
            let (first, second, third) = (word(), word(), word())
            let distance = TextRule.editDistance(first, second, limit: 99)
            #expect(distance == TextRule.editDistance(second, first, limit: 99))
            #expect((distance == 0) == (first == second))
            let detour =
                TextRule.editDistance(first, third, limit: 99) + TextRule.editDistance(third, second, limit: 99)
            #expect(distance <= detour)
            for limit in 0...7 {
                #expect(TextRule.editDistance(first, second, limit: limit) == min(distance, limit + 1))
            }
        }
    }
}
