import Domain

/// What a group of bubbles says.
struct BubbleDecision: Equatable {
    /// Indices of the marked bubbles, ascending.
    var marked: [Int]
    var confidence: Double
    var flags: [FieldFlag]

    /// One bubble at most should be marked.
    static func single(
        _ measures: [BubbleMeasure], levels: SheetLevels, thresholds: BubbleThresholds
    ) -> BubbleDecision {
        let darkest = measures.map(\.fill).max() ?? 0
        let bubbles = measures.map { levels.withoutResidue($0, first: darkest, thresholds: thresholds) }
        let order = bubbles.indices.sorted { bubbles[$0].fill > bubbles[$1].fill }
        guard let top = order.first else { return BubbleDecision(marked: [], confidence: 0, flags: [.blank]) }
        let first = bubbles[top].fill
        let second = order.count > 1 ? max(bubbles[order[1]].fill, 0) : 0
        guard first >= levels.empty else {
            return BubbleDecision(
                marked: [], confidence: 0.5 + 0.49 * (1 - max(first, 0) / levels.empty), flags: [.blank])
        }
        let marks = order.filter {
            bubbles[$0].fill >= levels.mark && bubbles[$0].fill >= thresholds.shareOfFirst * first
        }
        switch marks.count {
        case 0:
            // Too light to be sure. A bubble that stands out is named, but never without a flag.
            let standsOut = second < thresholds.shareOfFirst * first
            return BubbleDecision(
                marked: standsOut ? [top] : [], confidence: 0.3, flags: standsOut ? [.faint] : [.uncertain])
        case 1:
            var flags: [FieldFlag] = []
            if second >= levels.empty {
                // Strokes are ink: a second mark made more lightly, or a stray one.
                let isInk = order.dropFirst().contains { bubbles[$0].stroke >= thresholds.strayInk }
                if isInk {
                    flags.append(.uncertain)
                } else if second > thresholds.residueShare * first {
                    flags.append(.erased)
                }
            }
            flags += doubts(bubbles[top], levels: levels, thresholds: thresholds)
            let gap = min(1, (first - second) / (2 * levels.mark))
            return BubbleDecision(
                marked: [top], confidence: flags.isEmpty ? 0.5 + 0.49 * gap : 0.4, flags: flags)
        default:
            return BubbleDecision(marked: marks.sorted(), confidence: 0.3, flags: [.multiple])
        }
    }

    /// Any number of bubbles may be marked.
    static func many(
        _ measures: [BubbleMeasure], levels: SheetLevels, thresholds: BubbleThresholds
    ) -> BubbleDecision {
        let darkest = measures.map(\.fill).max() ?? 0
        let bubbles = measures.map { levels.withoutResidue($0, first: darkest, thresholds: thresholds) }
        let first = bubbles.map(\.fill).max() ?? 0
        guard first >= levels.empty else {
            return BubbleDecision(
                marked: [], confidence: 0.5 + 0.49 * (1 - max(first, 0) / levels.empty), flags: [.blank])
        }
        var marked: [Int] = []
        var flags: [FieldFlag] = []
        var margin = 1.0
        for (index, bubble) in bubbles.enumerated() {
            if bubble.fill >= levels.mark {
                marked.append(index)
                margin = min(margin, (bubble.fill - levels.mark) / levels.mark)
                flags += doubts(bubble, levels: levels, thresholds: thresholds)
                // Far lighter than its neighbour: rubbed out, or a second thought?
                if bubble.fill < thresholds.shareOfFirst * first { flags.append(.uncertain) }
            } else if bubble.fill >= max(levels.empty, 0.6 * levels.mark) || bubble.stroke >= thresholds.strayInk {
                flags.append(bubble.dark < 0.05 && first >= levels.mark ? .erased : .faint)
                margin = 0
            } else {
                margin = min(margin, (levels.mark - bubble.fill) / levels.mark)
            }
        }
        if marked.isEmpty, flags.isEmpty { flags = [.faint] }
        return BubbleDecision(
            marked: marked, confidence: flags.isEmpty ? 0.5 + 0.49 * max(0, margin) : 0.4, flags: flags.unique)
    }

    /// Why a mark that is dark enough may still not be one.
    private static func doubts(
        _ bubble: BubbleMeasure, levels: SheetLevels, thresholds: BubbleThresholds
    ) -> [FieldFlag] {
        var flags: [FieldFlag] = []
        // Grey all over on a sheet of dark marks: rubbed out rather than marked.
        if bubble.fill < 0.6 * levels.pen, bubble.dark < 0.05 { flags.append(.faint) }
        if bubble.fill > 0.4, bubble.halo > thresholds.scribbleHalo { flags.append(.erased) }
        return flags
    }
}

extension Array where Element: Equatable {
    /// Each element once, in order of first appearance.
    var unique: [Element] {
        reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}
