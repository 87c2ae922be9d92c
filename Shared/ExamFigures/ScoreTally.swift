/// Scores of sheets, added one by one; memory grows with the number of different scores, not of sheets.
///
/// Everything is counted in whole hundredths of a point, so the order in which sheets come does not matter.
package struct ScoreTally: Sendable {
    /// Number of bins of the histogram, of equal width.
    package static let bins = 10

    /// Sheets by score in hundredths.
    private var counts: [Int: Int] = [:]
    private var bins = [Int](repeating: 0, count: ScoreTally.bins)

    package init() {}

    /// - Parameter maxScore: the score is put into a bin by its share of this.
    package mutating func add(_ score: Double, of maxScore: Double) {
        counts[score.inHundredths, default: 0] += 1
        let bin = score.inHundredths * Self.bins / max(maxScore.inHundredths, 1)
        bins[min(max(bin, 0), Self.bins - 1)] += 1
    }

    package var figures: ScoreFigures {
        let count = counts.values.reduce(0, +)
        var figures = ScoreFigures(count: count, bins: bins)
        guard count > 0 else { return figures }
        let sum = counts.reduce(Int128(0)) { $0 + Int128($1.key) * Int128($1.value) }
        let squares = counts.reduce(Int128(0)) { $0 + Int128($1.key) * Int128($1.key) * Int128($1.value) }
        let total = Int128(count)
        figures.mean = Double(sum) / Double(total) / 100
        figures.standardDeviation = Double(total * squares - sum * sum).squareRoot() / Double(total) / 100
        let sorted = counts.sorted { $0.key < $1.key }
        figures.minimum = sorted.first.map { Double($0.key) / 100 }
        figures.maximum = sorted.last.map { Double($0.key) / 100 }
        figures.median =
            Double(Self.score(at: (count - 1) / 2, in: sorted) + Self.score(at: count / 2, in: sorted)) / 200
        return figures
    }

    /// The score at a place of all scores in order.
    private static func score(at place: Int, in sorted: [(key: Int, value: Int)]) -> Int {
        var rest = place
        for (score, count) in sorted {
            if rest < count { return score }
            rest -= count
        }
        return 0
    }
}

/// Figures of the scores of an exam, in points.
package struct ScoreFigures: Codable, Equatable, Sendable {
    /// Sheets with a score.
    package var count: Int
    package var mean: Double?
    /// Of an even number of scores the mean of the middle two.
    package var median: Double?
    /// Of the population: the square root of the mean squared distance from the mean.
    package var standardDeviation: Double?
    package var minimum: Double?
    package var maximum: Double?
    /// Sheets by tenths of the maximum, the lower end inclusive, the upper only in the last.
    package var bins: [Int]

    package init(count: Int, bins: [Int]) {
        self.count = count
        self.bins = bins
    }
}

extension Double {
    /// Points as the whole number of hundredths that they are.
    var inHundredths: Int { Int((self * 100).rounded()) }
}
