/// One question of an exam, as the REST contract writes it.
package struct Question: Codable, Equatable, Sendable {
    package enum Kind: String, Codable, Sendable, CaseIterable {
        case singleChoice = "single_choice"
        case multipleChoice = "multiple_choice"
        case trueFalse = "true_false"
        case numeric
        case shortText = "short_text"
        case open
    }

    package enum PartialCredit: String, Codable, Sendable, CaseIterable {
        /// All or nothing.
        case none
        /// A share of the points for each right option, less one for each wrong one, never below 0.
        case proportional
        /// Half the points when some but not all right options, and no wrong one, are marked.
        case gaokao
    }

    /// 1 to 999, unique in the exam.
    package var number: Int
    package var kind: Kind
    /// Greater than 0, at most 1,000, in steps of 0.01.
    package var points: Double
    /// Number of options of a choice, lettered from A: 2 to 10.
    package var options: Int?
    /// The key: `B`, `ACD`, `T`, `3.14`.
    package var answer: String?
    /// The accepted answers of a short text; the first is the one shown.
    package var answers: [String]?
    package var partialCredit: PartialCredit?
    /// Largest accepted distance from a numeric answer; 0 when nil.
    package var tolerance: Double?
    /// Columns of digit bubbles of a numeric question, 1 to 12; nil prints a box to write in.
    package var digits: Int?
    /// Letters that may differ in a short text (edit distance), 0 to 5; 0 when nil.
    package var maxEdits: Int?
    /// How an open answer is scored.
    package var rubric: [RubricCriterion]?
    /// Height of the box of an open answer in millimetres, 15 to 230.
    package var height: Double?

    package init(
        number: Int, kind: Kind, points: Double, options: Int? = nil, answer: String? = nil, answers: [String]? = nil,
        partialCredit: PartialCredit? = nil, tolerance: Double? = nil, digits: Int? = nil, maxEdits: Int? = nil,
        rubric: [RubricCriterion]? = nil, height: Double? = nil
    ) {
        self.number = number
        self.kind = kind
        self.points = points
        self.options = options
        self.answer = answer
        self.answers = answers
        self.partialCredit = partialCredit
        self.tolerance = tolerance
        self.digits = digits
        self.maxEdits = maxEdits
        self.rubric = rubric
        self.height = height
    }

    enum CodingKeys: String, CodingKey {
        case number
        case kind = "type"
        case points, options, answer, answers
        case partialCredit = "partial_credit"
        case tolerance, digits
        case maxEdits = "max_edits"
        case rubric, height
    }

    /// The name of the question's field in layouts and readings: `q` and the number.
    package var fieldName: String { "q\(number)" }

    /// The letters of the options, `A` first; `T` and `F` for true or false; empty for other kinds.
    package var optionLetters: [String] {
        switch kind {
        case .singleChoice, .multipleChoice:
            (0..<min(max(options ?? 4, 2), 10)).map { String(UnicodeScalar(UInt8(ascii: "A") + UInt8($0))) }
        case .trueFalse:
            ["T", "F"]
        case .numeric, .shortText, .open:
            []
        }
    }
}

/// One criterion of a rubric and the points it is worth.
package struct RubricCriterion: Codable, Equatable, Sendable {
    package var text: String
    package var points: Double

    package init(text: String, points: Double) {
        self.text = text
        self.points = points
    }
}
