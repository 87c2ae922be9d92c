/// Where the lines between empty, doubtful and marked run. Darkness is 0 for empty print to 1 for full black.
package struct BubbleThresholds: Sendable {
    /// Below this a bubble is empty, whatever the sheet's noise.
    package var emptyFloor = 0.055
    /// Bounds of the darkness from which a bubble is marked; within them it follows the sheet's own marks.
    package var markFloor = 0.11
    package var markCeiling = 0.25
    /// A bubble is a mark when darker than this share of the sheet's usual mark.
    package var shareOfPen = 0.35
    /// A second bubble of a question is a second mark from this share of the first one's darkness.
    package var shareOfFirst = 0.5
    /// Up to this share of the first one's darkness a second bubble is smudge or rubbed out, and ignored.
    package var residueShare = 0.35
    /// Share of strokes from which a bubble too light for a mark still holds ink and makes its question doubtful.
    package var strayInk = 0.06
    /// On a sheet of dark strokes, grey without any dark pixel up to this darkness is what a rubber left, and ignored.
    package var residueCeiling = 0.14
    /// Darkness around a bubble from which it seems scribbled over.
    package var scribbleHalo = 0.40

    package init() {}
}

/// The lines drawn for one sheet.
struct SheetLevels: Equatable {
    /// Darkness below which a bubble is empty.
    var empty: Double
    /// Darkness from which a bubble is marked.
    var mark: Double
    /// Darkness of the sheet's usual mark.
    var pen: Double
    /// Whether the sheet's marks hold dark pixels; false for light pencil.
    var penIsDark: Bool

    init(_ groups: [[BubbleMeasure]], thresholds: BubbleThresholds) {
        let fills = groups.flatMap { $0.map(\.fill) }
        let quiet = fills.filter { $0 < 0.15 }
        let middle = quiet.median ?? 0
        let spread = quiet.count >= 8 ? quiet.map { abs($0 - middle) }.quantile(0.9) ?? 0 : 0.015
        empty = min(max(thresholds.emptyFloor, 3 * spread), 0.09)
        // Only groups with one bubble that stands out tell about the pen: a sheet without marks must not make its
        // noise the standard. Where every group has several marks, their ink tells.
        let floor = max(0.12, 2 * empty)
        let darkest = groups.compactMap { group -> (mark: BubbleMeasure, standsOut: Bool)? in
            let sorted = group.sorted { $0.fill > $1.fill }
            guard let first = sorted.first, first.fill > floor else { return nil }
            return (first, sorted.count < 2 || first.fill - sorted[1].fill > floor / 2)
        }
        let alone = darkest.filter(\.standsOut).map(\.mark)
        let marks = alone.isEmpty ? darkest.map(\.mark).filter { $0.dark >= thresholds.strayInk } : alone
        pen = marks.map(\.fill).median ?? 0.6
        penIsDark = (marks.map(\.dark).quantile(0.25) ?? 1) >= 0.08
        mark = min(max(thresholds.shareOfPen * pen, thresholds.markFloor, empty * 1.5), thresholds.markCeiling)
    }
}

extension SheetLevels {
    /// The measure with what a rubber left of an older mark taken out.
    func withoutResidue(_ bubble: BubbleMeasure, first: Double, thresholds: BubbleThresholds) -> BubbleMeasure {
        let isGrey = bubble.dark < 0.02 && bubble.stroke < thresholds.strayInk
        guard penIsDark, isGrey, bubble.fill < thresholds.residueCeiling, bubble.fill < 0.75 * first else {
            return bubble
        }
        var clean = bubble
        clean.fill = min(clean.fill, 0.5 * empty)
        return clean
    }
}
