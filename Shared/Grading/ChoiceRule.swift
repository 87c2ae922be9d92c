internal import Domain

/// How several marked options are scored.
enum ChoiceRule {
    /// - Returns: the share of the points, 0 to 1.
    static func share(marked: Set<String>, key: Set<String>, credit: Question.PartialCredit) -> Double {
        if marked == key { return 1 }
        if marked.isEmpty || key.isEmpty { return 0 }
        let right = marked.intersection(key).count
        let wrong = marked.subtracting(key).count
        switch credit {
        case .none:
            return 0
        case .proportional:
            return Double(max(0, right - wrong)) / Double(key.count)
        case .gaokao:
            // National college entrance examination: all right full points, some right and none wrong half, else none.
            return wrong == 0 ? 0.5 : 0
        }
    }
}
