/// What was measured in one bubble.
struct BubbleMeasure: Equatable, Sendable {
    /// Mean darkness inside over the empty print, 0 paper to 1 full ink; may be slightly negative.
    var fill: Double
    /// Share of the inside that is dark (at least two thirds of full ink) over that of the empty print.
    var dark: Double
    /// Share of the inside where a stroke may be (at least 0.45 of full ink) over that of the empty print: thin strokes are
    /// lighter than the ink when scanned coarsely, and what a rubber leaves is grey all over.
    var stroke: Double
    /// Mean darkness around the bubble over that of the sheet's empty bubbles.
    var halo: Double
}

/// Measures how dark bubbles are inside and cancels what is printed in them.
struct BubbleMeter {
    struct Raw {
        var inside: Double
        var dark: Double
        var stroke: Double
        var halo: Double
        var value: String
    }

    /// True on sheets whose print is not known.
    var isForeign = false

    /// Darkness an empty bubble's print is believed to have at most, and how much darker than the sheet's lightest.
    private let maximumPrint = 0.22
    private let maximumPrintSpread = 0.10

    /// Measures of each group's bubbles, in order.
    func measure(_ groups: [BubbleGroup], on page: PageRaster) -> [[BubbleMeasure]] {
        let raw = groups.map { group in group.spots.map { measure($0, shift: group.shift, on: page) } }
        let all = raw.flatMap { $0 }
        guard !all.isEmpty else { return raw.map { _ in [] } }
        // Empty bubbles are the lightest ones of their letter; when all of a letter are filled, the other letters tell.
        let lightest = min(all.map(\.inside).quantile(0.1) ?? 0, maximumPrint)
        let lightestDark = min(all.map(\.dark).quantile(0.1) ?? 0, maximumPrint)
        let lightestStroke = min(all.map(\.stroke).quantile(0.1) ?? 0, maximumPrint)
        let quietHalo = all.map(\.halo).quantile(0.25) ?? 0
        var byValue: [String: [Raw]] = [:]
        for one in all { byValue[one.value, default: []].append(one) }
        let prints = byValue.mapValues { same -> (inside: Double, dark: Double, stroke: Double) in
            guard same.count >= 4 else { return (lightest + 0.02, lightestDark + 0.02, lightestStroke + 0.02) }
            return (
                min(same.map(\.inside).quantile(0.3) ?? 0, lightest + maximumPrintSpread),
                min(same.map(\.dark).quantile(0.3) ?? 0, lightestDark + maximumPrintSpread),
                min(same.map(\.stroke).quantile(0.3) ?? 0, lightestStroke + maximumPrintSpread)
            )
        }
        return raw.map { group in
            // Some foreign sheets shade whole columns or rows.
            let shade = isForeign && group.count >= 4 ? group.map(\.inside).sorted()[1] : 0
            return group.map { one in
                var print = prints[one.value] ?? (lightest, lightestDark, lightestStroke)
                print.inside = max(print.inside, min(shade, lightest + 1.5 * maximumPrintSpread))
                return BubbleMeasure(
                    fill: (one.inside - print.inside) / max(0.2, 1 - print.inside),
                    dark: (one.dark - print.dark) / max(0.2, 1 - print.dark),
                    stroke: (one.stroke - print.stroke) / max(0.2, 1 - print.stroke), halo: one.halo - quietHalo)
            }
        }
    }

    private func measure(_ spot: BubbleGroup.Spot, shift: Point, on page: PageRaster) -> Raw {
        let centre = spot.centre + shift
        let paper = page.paperLevel(centre.x, centre.y)
        let factor = page.inkFactor(paper: paper)
        // Clear of the outline and of the print's blur.
        let margin = max(1.5, 0.27 * min(spot.reach.x, spot.reach.y))
        let inner = Point(x: max(1, spot.reach.x - margin), y: max(1, spot.reach.y - margin))
        let outer = spot.reach + Point(x: margin, y: margin)
        let far = spot.reach + Point(x: 3 * margin, y: 3 * margin)
        let image = page.image
        var sum = 0.0
        var dark = 0
        var stroke = 0
        var count = 0
        var haloSum = 0.0
        var haloCount = 0
        let top = Int((centre.y - far.y).rounded(.down))
        let left = Int((centre.x - far.x).rounded(.down))
        let inverse = { (reach: Point) in Point(x: 1 / (reach.x * reach.x), y: 1 / (reach.y * reach.y)) }
        let (innerShare, outerShare, farShare) = (inverse(inner), inverse(outer), inverse(far))
        let columns = max(0, left)..<max(max(0, left), min(image.width, left + Int(2 * far.x) + 2))
        for y in top...(top + Int(2 * far.y) + 1) where y >= 0 && y < image.height {
            let line = image.pixels + y * image.width
            let v = (Double(y) - centre.y) * (Double(y) - centre.y)
            let (innerRest, outerRest) = (1 - v * innerShare.y, 1.15 - v * outerShare.y)
            let farRest = 1 - v * farShare.y
            for x in columns {
                let u = (Double(x) - centre.x) * (Double(x) - centre.x)
                guard u * farShare.x <= farRest else { continue }
                if u * innerShare.x <= innerRest {
                    let ink = min(max((paper - Double(line[x])) * factor, 0), 1.1)
                    sum += ink
                    count += 1
                    if ink > 0.65 { dark += 1 }
                    if ink > 0.45 { stroke += 1 }
                } else if u * outerShare.x > outerRest {
                    haloSum += min(max((paper - Double(line[x])) * factor, 0), 1.1)
                    haloCount += 1
                }
            }
        }
        let total = Double(max(1, count))
        return Raw(
            inside: sum / total, dark: Double(dark) / total, stroke: Double(stroke) / total,
            halo: haloSum / Double(max(1, haloCount)), value: spot.value)
    }
}
