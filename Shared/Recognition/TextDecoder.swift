/// Turns the network's steps into text: connectionist temporal classification, the likeliest character a step, repeats
/// joined, blanks dropped.
struct TextDecoder {
    struct Line: Equatable {
        var text: String
        /// Confidence of each character, 0 to 1.
        var confidences: [Double]
        /// The largest probability, 0 to 1, that something is between two characters which the text leaves out.
        var omission = 0.0

        /// That of the least certain character, or that none is missing if that is less; 1 for an empty line.
        var confidence: Double { min(confidences.min() ?? 1, 1 - omission) }
    }

    /// The characters by class; class 0 is the blank, so character i is class i + 1.
    let characters: [String]
    private let classes: [String: Int]

    /// - Parameter dictionary: One character a line; a space is added at the end.
    init(dictionary: String) {
        var lines = dictionary.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        while lines.last == "" { lines.removeLast() }
        characters = lines + [" "]
        var classes: [String: Int] = [:]
        for (index, character) in characters.enumerated() where classes[character] == nil {
            classes[character] = index + 1
        }
        self.classes = classes
    }

    /// What a writer of digits may seem to have written.
    private static let lookalikes: [Character: String] = [
        "0": "０OoQDＯ〇○°", "1": "１lI|丨ｌ!i/", "2": "２Zz", "3": "３", "4": "４", "5": "５Ss", "6": "６b", "7": "７",
        "8": "８B&", "9": "９gq", "-": "—一−–－_~", ".": "。·,，、",
    ]

    /// Classes that stand for each allowed character.
    func groups(alphabet: String) -> [(character: Character, classes: [Int])] {
        alphabet.map { character in
            let also = (Self.lookalikes[character] ?? "").filter { !alphabet.contains($0) }
            return (character, ([character] + also).compactMap { classes[String($0)] })
        }
    }

    /// - Parameters:
    ///   - scores: Probabilities, `steps` rows of `classCount`.
    ///   - alphabet: Characters that can occur; nil for all.
    func decode(_ scores: UnsafeBufferPointer<Float>, steps: Int, classCount: Int, alphabet: String?) -> Line {
        guard steps > 0, classCount > 1, scores.count >= steps * classCount else {
            return Line(text: "", confidences: [])
        }
        let groups = alphabet.map { self.groups(alphabet: $0) }
        var line = Line(text: "", confidences: [])
        func row(_ step: Int) -> UnsafeBufferPointer<Float> {
            UnsafeBufferPointer(rebasing: scores[(step * classCount)..<((step + 1) * classCount)])
        }
        var previous = -1
        var written: [(step: Int, identity: Int)] = []
        for step in 0..<steps {
            let best = groups.map { Self.best(row(step), $0) } ?? best(row(step))
            defer { previous = best.identity }
            guard best.identity != 0 else { continue }
            written.append((step, best.identity))
            if best.identity == previous {
                // The same stroke seen again; its clearest view counts.
                if let last = line.confidences.indices.last {
                    line.confidences[last] = max(line.confidences[last], best.score)
                }
                continue
            }
            line.text += best.text
            line.confidences.append(best.score)
        }
        if let groups {
            // Between two characters a step is a blank, or one of the two not quite over or begun.
            for (left, right) in zip(written, written.dropFirst()) {
                // The same on both sides counts once.
                let expected = [0] + Set([left.identity, right.identity]).flatMap { groups[$0 - 1].classes }
                for step in (left.step + 1)..<right.step {
                    let known = expected.reduce(0.0) { $1 < classCount ? $0 + Double(row(step)[$1]) : $0 }
                    line.omission = max(line.omission, 1 - known)
                }
            }
        }
        return line
    }

    private func best(_ row: UnsafeBufferPointer<Float>) -> (identity: Int, text: String, score: Double) {
        let best = Self.likeliest(row)
        let text = best > 0 && best <= characters.count ? characters[best - 1] : ""
        return (best, text, Double(row[best]))
    }

    /// The first of the largest probabilities. Most of the thousands of classes are far from it, so a block is only
    /// looked at in detail when it holds something larger than all before.
    private static func likeliest(_ row: UnsafeBufferPointer<Float>) -> Int {
        guard let values = row.baseAddress else { return 0 }
        var best = 0
        var start = 0
        while start + 32 <= row.count {
            var largest = SIMD8<Float>(repeating: row[best])
            for part in stride(from: start, to: start + 32, by: 8) {
                let eight = UnsafeRawPointer(values + part).loadUnaligned(as: SIMD8<Float>.self)
                largest.replace(with: eight, where: eight .> largest)
            }
            if any(largest .> SIMD8<Float>(repeating: row[best])) {
                for index in start..<(start + 32) where row[index] > row[best] { best = index }
            }
            start += 32
        }
        for index in start..<row.count where row[index] > row[best] { best = index }
        return best
    }

    private static func best(
        _ row: UnsafeBufferPointer<Float>, _ groups: [(character: Character, classes: [Int])]
    ) -> (identity: Int, text: String, score: Double) {
        var best = (identity: 0, text: "", score: Double(row[0]))
        for (index, group) in groups.enumerated() {
            var score = 0.0
            for place in group.classes where place < row.count { score += Double(row[place]) }
            if score > best.score { best = (index + 1, String(group.character), score) }
        }
        return best
    }
}
