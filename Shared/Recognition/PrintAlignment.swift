/// Finds where the printed outlines of bubbles really are, so that bent paper and small errors of the rectification do
/// not shift what is measured.
struct PrintAlignment {
    /// Largest shift searched, in raster pixels.
    var reach: Int
    var styles: [OutlineProbe.Style]

    /// Sets `shift` and `printContrast` of every group.
    /// - Returns: The style of outline that was found.
    @discardableResult
    func align(_ groups: inout [BubbleGroup], on page: PageRaster) -> OutlineProbe.Style {
        let style = likeliestStyle(of: groups, on: page)
        var probe = OutlineProbe(style: style)
        for (_, members) in Dictionary(grouping: groups.indices, by: { groups[$0].block }) {
            let best = bestShift(
                of: members.flatMap { groups[$0].spots }, &probe, on: page, around: (0, 0), reach: reach, step: 2)
            for index in members {
                groups[index].shift = Point(x: Double(best.x), y: Double(best.y))
                groups[index].printContrast = best.contrast
            }
        }
        smooth(&groups, &probe, on: page)
        return style
    }

    private func likeliestStyle(of groups: [BubbleGroup], on page: PageRaster) -> OutlineProbe.Style {
        let step = max(1, groups.count / 10)
        let sample = stride(from: 0, to: groups.count, by: step).map { groups[$0].spots }
        var best = (style: styles[0], contrast: -Double.infinity)
        for style in styles where styles.count > 1 {
            var probe = OutlineProbe(style: style)
            let contrast = sample.reduce(0) {
                $0 + bestShift(of: $1, &probe, on: page, around: (0, 0), reach: reach, step: 2).contrast
            }
            if contrast > best.contrast { best = (style, contrast) }
        }
        return best.style
    }

    /// Paper bends smoothly: groups that disagree with a plane through all of their neighbours are searched again near
    /// it, the others a little around where they are.
    private func smooth(_ groups: inout [BubbleGroup], _ probe: inout OutlineProbe, on page: PageRaster) {
        let typical = groups.map(\.printContrast).median ?? 0
        let plane = ShiftPlane(groups.filter { $0.printContrast > 0.5 * typical })
        for index in groups.indices {
            let expected = plane.shift(at: groups[index].centre)
            let isNear = (groups[index].shift - expected).length <= 3
            let start = isNear ? groups[index].shift : expected
            let best = bestShift(
                of: groups[index].spots, &probe, on: page, around: (Int(start.x.rounded()), Int(start.y.rounded())),
                reach: isNear ? 2 : 3, step: 1, preferring: expected)
            groups[index].shift = Point(x: Double(best.x), y: Double(best.y))
            groups[index].printContrast = best.contrast
        }
    }

    private func bestShift(
        of spots: [BubbleGroup.Spot], _ probe: inout OutlineProbe, on page: PageRaster, around start: (Int, Int),
        reach: Int, step: Int, preferring expected: Point = Point(x: 0, y: 0)
    ) -> (x: Int, y: Int, contrast: Double) {
        let shifts = stride(from: -reach, through: reach, by: step).flatMap { dy in
            stride(from: -reach, through: reach, by: step).map { dx in (x: start.0 + dx, y: start.1 + dy) }
        }
        var sums = [Double](repeating: 0, count: shifts.count)
        // A block of many bubbles is told by every second or third of them.
        let every = max(1, spots.count / 24)
        var count = 0
        for spot in stride(from: 0, to: spots.count, by: every).lazy.map({ spots[$0] }) {
            probe.addContrasts(
                probe.ring(spot.reach, imageWidth: page.smooth.width), x: Int(spot.centre.x.rounded()),
                y: Int(spot.centre.y.rounded()), shifts: shifts,
                inkFactor: page.inkFactor(paper: page.paperLevel(spot.centre.x, spot.centre.y)), in: page.smooth,
                to: &sums)
            count += 1
        }
        var best = (x: start.0, y: start.1, contrast: 0.0)
        var bestScore = -Double.infinity
        for (shift, sum) in zip(shifts, sums) {
            let contrast = sum / Double(max(1, count))
            let away = (Point(x: Double(shift.x), y: Double(shift.y)) - expected).length
            let score = contrast - 0.002 * away
            if score > bestScore {
                bestScore = score
                best = (shift.x, shift.y, contrast)
            }
        }
        return best
    }
}
