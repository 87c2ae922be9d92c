internal import Foundation

/// How short written answers are compared.
enum TextRule {
    /// Compared after Unicode compatibility composition (NFKC), case folding and without spaces: full-width letters,
    /// ligatures and spacing are matters of handwriting, not of knowledge.
    static func accepts(_ text: String, answers: [String], maxEdits: Int) -> Bool {
        let given = folded(text)
        if given.isEmpty { return false }
        return answers.contains { answer in
            let wanted = folded(answer)
            if wanted == given { return true }
            // An edit in a word of few letters is another word.
            let edits = min(maxEdits, wanted.count / 3)
            return edits > 0 && editDistance(given, wanted, limit: edits) <= edits
        }
    }

    static func normalized(_ text: String) -> String {
        text.precomposedStringWithCompatibilityMapping
    }

    static func folded(_ text: String) -> [Character] {
        normalized(normalized(text).lowercased()).filter { !$0.isWhitespace }.map { $0 }
    }

    /// The Levenshtein distance (insertions, deletions, substitutions), or `limit + 1` when it is larger.
    static func editDistance(_ first: [Character], _ second: [Character], limit: Int) -> Int {
        if abs(first.count - second.count) > limit { return limit + 1 }
        var previous = Array(0...second.count)
        for (row, left) in first.enumerated() {
            var current = [row + 1]
            current.reserveCapacity(second.count + 1)
            for (column, right) in second.enumerated() {
                let substitution = previous[column] + (left == right ? 0 : 1)
                current.append(min(substitution, previous[column + 1] + 1, current[column] + 1))
            }
            if current.min() ?? 0 > limit { return limit + 1 }
            previous = current
        }
        return min(previous[second.count], limit + 1)
    }
}
