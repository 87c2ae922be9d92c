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
    /// nil before the first review is settled.
    var reviewVersion: Int?
    /// The sheet counts no more: it was joined to another. Kept, so that what is told late does not bring it back.
    var isOut: Bool?
    /// Question number to whether it earned full points; only questions that have a score.
    var answers: [Int: Bool]

    init(_ event: GradingCompleted) {
        self.init(score: event.score, maxScore: event.maxScore, marks: event.marks)
        needsReview = event.needsReview
        keyVersion = event.keyVersion
        readingVersion = event.readingVersion
        reviewVersion = event.reviewVersion
    }

    /// Of a sheet that has been marked.
    init(_ sheet: Sheet) {
        self.init(score: sheet.score ?? 0, maxScore: sheet.maxScore, marks: sheet.marks)
        needsReview = sheet.needsReview
        keyVersion = sheet.keyVersion
        readingVersion = sheet.markedReadingVersion
        reviewVersion = sheet.reviewVersion
    }

    private init(score: Double, maxScore: Double, marks: [Mark]) {
        self.score = Int((score * 100).rounded())
        let share = maxScore > 0 ? score / maxScore : 0
        bin = min(max(Int(share * 10), 0), 9)
        needsReview = false
        keyVersion = 0
        readingVersion = 0
        answers = [:]
        for mark in marks {
            if let score = mark.score { answers[mark.question] = score >= mark.max }
        }
    }

    /// Rises with whatever may change what a sheet contributes.
    var order: (Int, Int, Int) { (keyVersion, readingVersion, reviewVersion ?? 0) }
}
