import Domain

/// Reads all bubble fields of a page that lies flat.
struct BubbleFieldReader {
    var thresholds: BubbleThresholds
    /// True on sheets whose print is not known: shaded columns are then told from marks group by group.
    var isForeign = false

    /// The fields' bubbles as groups in raster pixels: one for a choice, one a column for digits.
    static func groups(of fields: [LayoutField], on page: PageRaster) -> [BubbleGroup] {
        var groups: [BubbleGroup] = []
        for (index, field) in fields.enumerated() where !field.bubbles.isEmpty {
            guard field.kind == .choice || field.kind == .digits else { continue }
            let columns: [Int?] = field.kind == .digits ? Set(field.bubbles.map(\.position)).sorted() : [nil]
            for column in columns {
                let bubbles = field.bubbles.filter { column == nil || $0.position == column }
                groups.append(
                    BubbleGroup(
                        field: index, block: groups.count,
                        spots: bubbles.map {
                            BubbleGroup.Spot(
                                value: $0.value, centre: page.pixel($0.x, $0.y),
                                reach: Point(x: $0.width * page.scale / 2, y: $0.height * page.scale / 2))
                        }))
            }
        }
        return groups
    }

    /// Readings by field name. `groups` must come from `groups(of:on:)` with the same fields, aligned.
    func read(_ fields: [LayoutField], groups: [BubbleGroup], on page: PageRaster) -> [String: FieldReading] {
        let measures = BubbleMeter(isForeign: isForeign).measure(groups, on: page)
        let levels = SheetLevels(measures, thresholds: thresholds)
        var decisions = [[(BubbleDecision, BubbleGroup)]](repeating: [], count: fields.count)
        for (group, bubbles) in zip(groups, measures) {
            let field = fields[group.field]
            let decision =
                field.kind == .digits || field.single
                ? BubbleDecision.single(bubbles, levels: levels, thresholds: thresholds)
                : BubbleDecision.many(bubbles, levels: levels, thresholds: thresholds)
            decisions[group.field].append((decision, group))
        }
        var readings: [String: FieldReading] = [:]
        for (field, parts) in zip(fields, decisions) where !parts.isEmpty {
            readings[field.name] = field.kind == .digits ? Self.joined(parts) : Self.choice(parts[0].0, parts[0].1)
        }
        return readings
    }

    private static func choice(_ decision: BubbleDecision, _ group: BubbleGroup) -> FieldReading {
        FieldReading(
            value: decision.marked.map { group.spots[$0].value }.joined(), confidence: decision.confidence,
            flags: decision.flags)
    }

    /// A digit a column. Blank columns at either end are no digits; one in the middle is a doubt.
    private static func joined(_ columns: [(BubbleDecision, BubbleGroup)]) -> FieldReading {
        let isBlank = { (decision: BubbleDecision) in decision.flags == [.blank] }
        guard let first = columns.firstIndex(where: { !isBlank($0.0) }),
            let last = columns.lastIndex(where: { !isBlank($0.0) })
        else {
            return FieldReading(value: "", confidence: columns.map(\.0.confidence).min() ?? 0, flags: [.blank])
        }
        var value = ""
        var flags: [FieldFlag] = []
        for (decision, group) in columns[first...last] {
            if decision.marked.count == 1 {
                value += group.spots[decision.marked[0]].value
                flags += decision.flags
            } else {
                value += "?"
                flags += isBlank(decision) ? [.uncertain] : decision.flags
            }
        }
        return FieldReading(value: value, confidence: columns.map(\.0.confidence).min() ?? 0, flags: flags.unique)
    }
}
