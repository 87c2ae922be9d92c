package import Domain

/// The marks and readings of one question, added one sheet at a time, in memory that does not grow.
package struct QuestionTally: Sendable {
    private let question: Question
    private var marked = 0
    private var points = 0
    private var maxPoints = 0
    private var correlation = Correlation()
    private var read = 0
    private var blank = 0
    private var options: [String: Int] = [:]

    package init(_ question: Question) {
        self.question = question
    }

    /// - Parameters:
    ///   - mark: nil, like one nobody has decided, counts as none.
    ///   - field: what was read; nil when its page is missing.
    ///   - score: of the whole sheet.
    package mutating func add(_ mark: Mark?, field: FieldReading?, score: Double) {
        if let mark, let own = mark.score, !mark.flags.contains(.missingPage) {
            marked += 1
            points += own.inHundredths
            maxPoints += mark.max.inHundredths
            correlation.add(own.inHundredths, score.inHundredths - own.inHundredths)
        }
        guard let field else { return }
        read += 1
        if field.flags.contains(.blank) { blank += 1 }
        guard !question.optionLetters.isEmpty else { return }
        for letter in Set(field.value.map { String($0) }) { options[letter, default: 0] += 1 }
    }

    package var figures: QuestionFigures {
        let key = Set((question.answer ?? "").map { String($0) })
        return QuestionFigures(
            number: question.number, kind: question.kind, points: question.points, marked: marked,
            meanShare: maxPoints > 0 ? Double(points) / Double(maxPoints) : nil, discrimination: correlation.value,
            read: read, blankShare: read > 0 ? Double(blank) / Double(read) : nil,
            options: question.optionLetters.map {
                .init(letter: $0, count: options[$0] ?? 0, isKey: key.contains($0))
            })
    }
}

/// Figures of one question.
package struct QuestionFigures: Codable, Equatable, Sendable {
    package struct Option: Codable, Equatable, Sendable {
        package var letter: String
        /// Sheets on which it is marked, alone or with others.
        package var count: Int
        package var isKey: Bool
    }

    package var number: Int
    package var kind: Question.Kind
    package var points: Double
    /// Sheets on which the question has a score.
    package var marked: Int
    /// The points earned as a share of those that could be: the difficulty, 0 hard to 1 easy.
    package var meanShare: Double?
    /// The corrected item-total correlation, -1 to 1: Pearson's correlation of the question's points with the points
    /// of all other questions of the same sheet (J. C. Nunnally, I. H. Bernstein, "Psychometric Theory", 3rd edition,
    /// 1994, chapter 8). For a question that is right or wrong it is the point-biserial correlation. nil when either
    /// does not vary.
    package var discrimination: Double?
    /// Sheets on which the question's field was read.
    package var read: Int
    /// The share of blank ones among those read.
    package var blankShare: Double?
    /// Of choices only, in order.
    package var options: [Option]
}

/// Pearson's correlation of pairs of whole numbers, exact until the last step.
struct Correlation: Sendable {
    private var count: Int128 = 0
    private var sumX: Int128 = 0
    private var sumY: Int128 = 0
    private var sumXX: Int128 = 0
    private var sumYY: Int128 = 0
    private var sumXY: Int128 = 0

    mutating func add(_ x: Int, _ y: Int) {
        let (x, y) = (Int128(x), Int128(y))
        count += 1
        sumX += x
        sumY += y
        sumXX += x * x
        sumYY += y * y
        sumXY += x * y
    }

    /// nil when x or y does not vary.
    var value: Double? {
        let varianceX = count * sumXX - sumX * sumX
        let varianceY = count * sumYY - sumY * sumY
        guard varianceX > 0, varianceY > 0 else { return nil }
        let value =
            Double(count * sumXY - sumX * sumY) / (Double(varianceX).squareRoot() * Double(varianceY).squareRoot())
        return min(max(value, -1), 1)
    }
}
