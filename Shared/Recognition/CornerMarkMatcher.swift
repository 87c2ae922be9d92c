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

    /// Candidates by corner, as indices, -1 for none. There are thousands, so they hold no arrays.
    private struct Arrangement {
        var marks: SIMD4<Int32>
        var score: Double
        var area: Double
    }

    /// Arrangements that fit, best first, at most `limit`.
    static func matches(_ candidates: [MarkCandidate], page: LayoutPage, limit: Int) -> [MarkMatch] {
        guard page.cornerMarks.count == 4 else { return [] }
        var found: [Arrangement] = []
        for corner in 0..<4 { addArrangements(around: corner, candidates, page: page, to: &found) }
        // A page fills most of its image; bubbles that happen to lie like marks span less.
        let largest = found.map(\.area).max() ?? 1
        for index in found.indices { found[index].score += 10 * found[index].area / largest }
        found.sort { $0.score > $1.score }
        // The same four are met from each of their corners.
        var distinct: [Arrangement] = []
        for match in found where distinct.count < limit {
            if !distinct.contains(where: { $0.marks == match.marks }) { distinct.append(match) }
        }
        return distinct.map { match in
            MarkMatch(
                marks: (0..<4).map { match.marks[$0] < 0 ? nil : candidates[Int(match.marks[$0])] },
                score: match.score, area: match.area)
        }
    }

    /// The page seen from one corner: its neighbours counter-clockwise and clockwise.
    private static func addArrangements(
        around corner: Int, _ candidates: [MarkCandidate], page: LayoutPage, to found: inout [Arrangement]
    ) {
        let model = page.cornerMarks.map { Point(x: $0.x, y: $0.y) }
        let hollowCorner = page.cornerMarks.firstIndex(where: \.hollow)
        let previous = (corner + 3) % 4
        let next = (corner + 1) % 4
        let opposite = (corner + 2) % 4
        let toPrevious = (model[previous] - model[corner]).length
        let toNext = (model[next] - model[corner]).length
        let size = page.cornerMarks[corner].size
        guard toPrevious > 0, toNext > 0, size > 0 else { return }
        for (c, atCorner) in candidates.enumerated() {
            for (p, atPrevious) in candidates.enumerated() where p != c {
                let armP = atPrevious.centre - atCorner.centre
                let lengthP = armP.length
                let scaleP = lengthP / toPrevious
                guard fits(atCorner.side / size, scaleP, sizeTolerance),
                    fits(atPrevious.side / size, scaleP, sizeTolerance)
                else { continue }
                for (n, atNext) in candidates.enumerated() where n != c && n != p {
                    let armN = atNext.centre - atCorner.centre
                    let lengthN = armN.length
                    let scaleN = lengthN / toNext
                    guard fits(scaleN, scaleP, lengthTolerance), fits(atNext.side / size, scaleN, sizeTolerance)
                    else { continue }
                    // Clockwise in the image, near a right angle: a page is never mirrored.
                    let sine = armN.cross(armP) / (lengthN * lengthP)
                    guard sine > 0.9 else { continue }
                    let scale = (scaleN * scaleP).squareRoot()
                    let expectedSide = size * scale
                    let distortion =
                        abs(scaleN / scaleP - 1) * 4 + (1 - sine) * 10
                        + (abs(atCorner.side / expectedSide - 1) + atCorner.flaw)
                        + (abs(atPrevious.side / expectedSide - 1) + atPrevious.flaw)
                        + (abs(atNext.side / expectedSide - 1) + atNext.flaw)
                    // Three alone stand beside three with a fourth that may be something else.
                    var marks = SIMD4<Int32>(repeating: -1)
                    marks[corner] = Int32(c)
                    marks[previous] = Int32(p)
                    marks[next] = Int32(n)
                    let area = lengthN * lengthP
                    func add(_ distortion: Double) {
                        found.append(
                            Arrangement(
                                marks: marks,
                                score: score(marks, candidates, distortion: distortion, hollowCorner: hollowCorner),
                                area: area))
                    }
                    add(distortion)
                    let expected = atCorner.centre + armN + armP
                    let reach = (lengthN + lengthP) * 0.07
                    guard
                        let fourth = nearest(
                            to: expected, within: reach, side: expectedSide, in: candidates, except: (c, p, n))
                    else { continue }
                    marks[opposite] = Int32(fourth)
                    let skew = (candidates[fourth].centre - expected).length / reach
                    add(distortion + candidates[fourth].flaw + skew)
                }
            }
        }
    }

    private static func score(
        _ marks: SIMD4<Int32>, _ candidates: [MarkCandidate], distortion: Double, hollowCorner: Int?
    ) -> Double {
        var score = -distortion * 3
        for corner in 0..<4 where marks[corner] >= 0 {
            score += 10
            guard let hollowCorner else { continue }
            let isHollow = CornerMarkFinder.hollowShare.contains(candidates[Int(marks[corner])].hole)
            if corner == hollowCorner {
                score += isHollow ? 6 : -6
            } else if isHollow {
                score -= 6
            }
        }
        return score
    }

    private static func fits(_ a: Double, _ b: Double, _ tolerance: Double) -> Bool {
        a < b * tolerance && b < a * tolerance
    }

    private static func nearest(
        to place: Point, within reach: Double, side: Double, in candidates: [MarkCandidate],
        except: (Int, Int, Int)
    ) -> Int? {
        var best: (Int, Double)?
        for (index, candidate) in candidates.enumerated()
        where index != except.0 && index != except.1 && index != except.2 {
            let distance = (candidate.centre - place).length
            guard distance < reach, fits(candidate.side, side, sizeTolerance) else { continue }
            let cost = distance / reach + candidate.flaw
            if cost < best?.1 ?? .infinity { best = (index, cost) }
        }
        return best?.0
    }
}
