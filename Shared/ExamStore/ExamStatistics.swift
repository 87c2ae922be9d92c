internal import Domain

/// Figures of an exam, kept up to date by analytics as sheets are marked.
package struct ExamStatistics: Codable, Equatable, Sendable {
    package struct Bin: Codable, Equatable, Sendable {
        /// Per cent of the maximum, inclusive.
        package var from: Int
        /// Per cent of the maximum, exclusive but for 100.
        package var to: Int
        package var count: Int
    }

    package struct QuestionRate: Codable, Equatable, Sendable {
        package var question: Int
        package var count: Int
        /// Answers with full points.
        package var correct: Int
        /// `correct / count`, nil without answers.
        package var rate: Double?
    }

    package var count: Int
    /// Sheets among them that wait for a person.
    package var needsReview: Int
    package var mean: Double?
    /// Of the population: the square root of the mean squared distance from the mean.
    package var standardDeviation: Double?
    package var minimum: Double?
    package var maximum: Double?
    package var maxScore: Double
    /// Ten bins of ten per cent each.
    package var distribution: [Bin]
    package var questions: [QuestionRate]

    enum CodingKeys: String, CodingKey {
        case count
        case needsReview = "needs_review"
        case mean
        case standardDeviation = "standard_deviation"
        case minimum, maximum
        case maxScore = "max_score"
        case distribution, questions
    }
}

/// What one sheet adds to the figures.
struct SheetContribution: Codable, Equatable, Sendable {
    /// In hundredths of a point.
    var score: Int
    var bin: Int
    var needsReview: Bool
    var keyVersion: Int
    var readingVersion: Int
    /// Question number to whether it earned full points; only questions that have a score.
    var answers: [Int: Bool]

    init(_ event: GradingCompleted) {
        score = Int((event.score * 100).rounded())
        let share = event.maxScore > 0 ? event.score / event.maxScore : 0
        bin = min(max(Int(share * 10), 0), 9)
        needsReview = event.needsReview
        keyVersion = event.keyVersion
        readingVersion = event.readingVersion
        answers = [:]
        for mark in event.marks {
            if let score = mark.score { answers[mark.question] = score >= mark.max }
        }
    }
}
