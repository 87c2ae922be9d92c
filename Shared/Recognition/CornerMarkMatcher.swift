import Domain

/// Which candidates are which corner marks.
struct MarkMatch: Sendable {
    /// By corner in the layout's order; nil where a mark was not found.
    var marks: [MarkCandidate?]
    /// Higher is better.
    var score: Double
    /// Product of the distances the arrangement spans, in square pixels.
    var area: Double

    var count: Int { marks.count { $0 != nil } }
}

/// Chooses three or four candidates that lie like the printed marks, in any orientation and modest perspective.
enum CornerMarkMatcher {
    /// How far lengths may stray from the layout's proportions (perspective), as a ratio.
    private static let lengthTolerance = 1.35
    /// How far a mark's own size may stray from what the distances say.
    private static let sizeTolerance = 1.45

    /// Arrangements that fit, best first, at most `limit`.
    static func matches(_ candidates: [MarkCandidate], page: LayoutPage, limit: Int) -> [MarkMatch] {
        guard page.cornerMarks.count == 4 else { return [] }
        let model = page.cornerMarks.map { Point(x: $0.x, y: $0.y) }
        let hollowCorner = page.cornerMarks.firstIndex(where: \.hollow)
        var found: [MarkMatch] = []
        for corner in 0..<4 {
            // The page seen from one corner: its neighbours counter-clockwise and clockwise.
            let previous = (corner + 3) % 4
            let next = (corner + 1) % 4
            let opposite = (corner + 2) % 4
            let toPrevious = (model[previous] - model[corner]).length
            let toNext = (model[next] - model[corner]).length
            let size = page.cornerMarks[corner].size
            guard toPrevious > 0, toNext > 0, size > 0 else { continue }
            for (c, atCorner) in candidates.enumerated() {
                for (p, atPrevious) in candidates.enumerated() where p != c {
                    let armP = atPrevious.centre - atCorner.centre
                    let scaleP = armP.length / toPrevious
                    guard fits(atCorner.side / size, scaleP, sizeTolerance),
                        fits(atPrevious.side / size, scaleP, sizeTolerance)
                    else { continue }
                    for (n, atNext) in candidates.enumerated() where n != c && n != p {
                        let armN = atNext.centre - atCorner.centre
                        let scaleN = armN.length / toNext
                        guard fits(scaleN, scaleP, lengthTolerance), fits(atNext.side / size, scaleN, sizeTolerance)
                        else { continue }
                        // Clockwise in the image, near a right angle: a page is never mirrored.
                        let sine = armN.cross(armP) / (armN.length * armP.length)
                        guard sine > 0.9 else { continue }
                        var marks = [MarkCandidate?](repeating: nil, count: 4)
                        marks[corner] = atCorner
                        marks[previous] = atPrevious
                        marks[next] = atNext
                        let scale = (scaleN * scaleP).squareRoot()
                        let expected = atCorner.centre + armN + armP
                        let reach = (armN.length + armP.length) * 0.07
                        let distortion =
                            abs(scaleN / scaleP - 1) * 4 + (1 - sine) * 10
                            + marks.compactMap { $0 }.map { abs($0.side / (size * scale) - 1) + $0.flaw }.reduce(0, +)
                        // Three alone stand beside three with a fourth that may be something else.
                        let area = armN.length * armP.length
                        found.append(scored(marks, distortion: distortion, hollowCorner: hollowCorner, area: area))
                        marks[opposite] = nearest(
                            to: expected, within: reach, side: size * scale, in: candidates, except: [c, p, n])
                        guard let fourth = marks[opposite] else { continue }
                        let skew = (fourth.centre - expected).length / reach
                        found.append(
                            scored(
                                marks, distortion: distortion + fourth.flaw + skew, hollowCorner: hollowCorner,
                                area: area))
                    }
                }
            }
        }
        // A page fills most of its image; bubbles that happen to lie like marks span less.
        let largest = found.map(\.area).max() ?? 1
        for index in found.indices { found[index].score += 10 * found[index].area / largest }
        found.sort { $0.score > $1.score }
        // The same four are met from each of their corners.
        var distinct: [MarkMatch] = []
        for match in found where distinct.count < limit {
            if !distinct.contains(where: { $0.marks.map(\.?.centre) == match.marks.map(\.?.centre) }) {
                distinct.append(match)
            }
        }
        return distinct
    }

    private static func scored(
        _ marks: [MarkCandidate?], distortion: Double, hollowCorner: Int?, area: Double
    ) -> MarkMatch {
        var score = Double(marks.count { $0 != nil }) * 10 - distortion * 3
        if let hollowCorner {
            for (corner, mark) in marks.enumerated() {
                guard let mark else { continue }
                let isHollow = CornerMarkFinder.hollowShare.contains(mark.hole)
                if corner == hollowCorner {
                    score += isHollow ? 6 : -6
                } else if isHollow {
                    score -= 6
                }
            }
        }
        return MarkMatch(marks: marks, score: score, area: area)
    }

    private static func fits(_ a: Double, _ b: Double, _ tolerance: Double) -> Bool {
        a < b * tolerance && b < a * tolerance
    }

    private static func nearest(
        to place: Point, within reach: Double, side: Double, in candidates: [MarkCandidate], except: Set<Int>
    ) -> MarkCandidate? {
        var best: (MarkCandidate, Double)?
        for (index, candidate) in candidates.enumerated() where !except.contains(index) {
            let distance = (candidate.centre - place).length
            guard distance < reach, fits(candidate.side, side, sizeTolerance) else { continue }
            let cost = distance / reach + candidate.flaw
            if cost < best?.1 ?? .infinity { best = (candidate, cost) }
        }
        return best?.0
    }
}
