import Glibc

/// Finds where the printed outlines of bubbles really are, group by group, so that bent paper and small errors of the
/// rectification do not shift what is measured.
struct PrintAlignment {
    /// Points on an outline and just outside it, as offsets from the bubble's centre.
    private struct Ring {
        var onLine: [(x: Int, y: Int)]
        var outside: [(x: Int, y: Int)]
    }

    /// Largest shift searched, in raster pixels.
    var reach: Int
    /// An outline darker than this over its surroundings counts no more, so that marks do not outweigh print.
    private let contrastCap = 0.4

    /// Sets `shift` and `printContrast` of every group.
    func align(_ groups: inout [BubbleGroup], on page: PageRaster) {
        for index in groups.indices {
            let best = bestShift(of: groups[index], on: page, around: (0, 0), reach: reach, step: 2)
            groups[index].shift = Point(x: Double(best.x), y: Double(best.y))
            groups[index].printContrast = best.contrast
        }
        smooth(&groups, on: page)
    }

    /// Paper bends smoothly: groups that disagree with a plane through all of them are searched again near it.
    private func smooth(_ groups: inout [BubbleGroup], on page: PageRaster) {
        let typical = groups.map(\.printContrast).median ?? 0
        let reliable = groups.filter { $0.printContrast > 0.5 * typical }
        let plane = ShiftPlane(reliable)
        for index in groups.indices {
            let expected = plane.shift(at: groups[index].centre)
            let around = (Int(expected.x.rounded()), Int(expected.y.rounded()))
            let isNear = (groups[index].shift - expected).length <= 3
            let start = isNear ? (Int(groups[index].shift.x), Int(groups[index].shift.y)) : around
            let best = bestShift(
                of: groups[index], on: page, around: start, reach: isNear ? 1 : 3, step: 1, preferring: expected)
            groups[index].shift = Point(x: Double(best.x), y: Double(best.y))
            groups[index].printContrast = best.contrast
        }
    }

    private func bestShift(
        of group: BubbleGroup, on page: PageRaster, around start: (Int, Int), reach: Int, step: Int,
        preferring expected: Point = Point(x: 0, y: 0)
    ) -> (x: Int, y: Int, contrast: Double) {
        var best = (x: start.0, y: start.1, contrast: 0.0)
        var bestScore = -Double.infinity
        let prepared = group.spots.map { spot in
            (spot, ring(spot.reach), page.paperLevel(spot.centre.x, spot.centre.y))
        }
        var dy = -reach
        while dy <= reach {
            defer { dy += step }
            var dx = -reach
            while dx <= reach {
                defer { dx += step }
                let x = start.0 + dx
                let y = start.1 + dy
                var sum = 0.0
                for (spot, ring, paper) in prepared {
                    let contrast = ringContrast(
                        ring, Int(spot.centre.x.rounded()) + x, Int(spot.centre.y.rounded()) + y, page)
                    sum += min(contrast * page.inkFactor(paper: paper), contrastCap)
                }
                let contrast = sum / Double(max(1, prepared.count))
                let away = (Point(x: Double(x), y: Double(y)) - expected).length
                let score = contrast - 0.002 * away
                if score > bestScore {
                    bestScore = score
                    best = (x, y, contrast)
                }
            }
        }
        return best
    }

    /// How much darker (in brightness steps) the outline is than what lies just outside it.
    private func ringContrast(_ ring: Ring, _ x: Int, _ y: Int, _ page: PageRaster) -> Double {
        let image = page.smooth
        let margin = ring.outside.reduce(0) { max($0, abs($1.x), abs($1.y)) }
        guard x - margin >= 0, y - margin >= 0, x + margin < image.width, y + margin < image.height else { return 0 }
        let middle = image.pixels + (y * image.width + x)
        var on = 0
        for place in ring.onLine { on += Int(middle[place.y * image.width + place.x]) }
        var out = 0
        for place in ring.outside { out += Int(middle[place.y * image.width + place.x]) }
        return Double(out) / Double(ring.outside.count) - Double(on) / Double(ring.onLine.count)
    }

    private func ring(_ reach: Point) -> Ring {
        let gap = max(2, 0.26 * min(reach.x, reach.y))
        var result = Ring(onLine: [], outside: [])
        for step in 0..<20 {
            let angle = Double(step) / 20 * 2 * Double.pi
            // Between an ellipse and a box with round ends; either is printed.
            let x = superCosine(angle)
            let y = superSine(angle)
            result.onLine.append((Int((x * reach.x).rounded()), Int((y * reach.y).rounded())))
            result.outside.append((Int((x * (reach.x + gap)).rounded()), Int((y * (reach.y + gap)).rounded())))
        }
        return result
    }
}

/// A plane of shifts fitted to the groups, with those far off left out.
private struct ShiftPlane {
    private var x: [Double] = [0, 0, 0]
    private var y: [Double] = [0, 0, 0]

    init(_ groups: [BubbleGroup]) {
        let medianX = groups.map(\.shift.x).median ?? 0
        let medianY = groups.map(\.shift.y).median ?? 0
        x = [medianX, 0, 0]
        y = [medianY, 0, 0]
        guard groups.count >= 8 else { return }
        var kept = groups
        for _ in 0..<3 {
            guard kept.count >= 8, let fitX = Self.fit(kept, \.shift.x), let fitY = Self.fit(kept, \.shift.y) else {
                return
            }
            x = fitX
            y = fitY
            let distances = groups.map { ($0.shift - shift(at: $0.centre)).length }
            let limit = max(2, 2.5 * (distances.median ?? 0))
            kept = zip(groups, distances).filter { $0.1 <= limit }.map(\.0)
        }
    }

    func shift(at place: Point) -> Point {
        Point(
            x: x[0] + x[1] * place.x / 1000 + x[2] * place.y / 1000,
            y: y[0] + y[1] * place.x / 1000 + y[2] * place.y / 1000)
    }

    private static func fit(_ groups: [BubbleGroup], _ value: KeyPath<BubbleGroup, Double>) -> [Double]? {
        var system = [[Double]](repeating: [0, 0, 0, 0], count: 3)
        for group in groups {
            let row = [1, group.centre.x / 1000, group.centre.y / 1000]
            for i in 0..<3 {
                for j in 0..<3 { system[i][j] += row[i] * row[j] }
                system[i][3] += row[i] * group[keyPath: value]
            }
            // A weak pull to flat keeps one column of groups from tilting the plane.
            system[1][1] += 0.002
            system[2][2] += 0.002
        }
        return solve(system)
    }
}

/// Points of a curve between ellipse and rectangle (|x|^2.5 + |y|^2.5 = 1).
private func superCosine(_ angle: Double) -> Double {
    let value = cos(angle)
    return value < 0 ? -pow(-value, 0.8) : pow(value, 0.8)
}

private func superSine(_ angle: Double) -> Double {
    let value = sin(angle)
    return value < 0 ? -pow(-value, 0.8) : pow(value, 0.8)
}
