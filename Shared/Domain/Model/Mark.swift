/// Why a mark deserves a look.
package enum MarkFlag: String, Codable, Sendable, CaseIterable {
    /// The answer was left empty; scores 0.
    case blank
    /// More options are marked than allowed; scores 0 until someone looks.
    case multiple
    case faint
    case erased
    case unreadable
    case uncertain
    /// The question is for people to mark.
    case open
    /// The text is no number.
    case notANumber = "not_a_number"
    /// The page with this question has not been scanned yet.
    case missingPage = "missing_page"

    /// True when a person must decide; a plain blank needs nobody.
    package var needsReview: Bool { self != .blank && self != .missingPage }

    package init(_ flag: FieldFlag) {
        self =
            switch flag {
            case .blank: .blank
            case .multiple: .multiple
            case .faint: .faint
            case .erased: .erased
            case .unreadable: .unreadable
            case .uncertain: .uncertain
            }
    }
}

/// The score of one question on one sheet.
package struct Mark: Codable, Equatable, Sendable {
    package var question: Int
    /// nil while nobody has marked an open answer.
    package var score: Double?
    package var max: Double
    /// `machine`, or the user who decided.
    package var by: String
    package var flags: [MarkFlag]
    /// The answer as the person read it who decided; the score then follows from the key. nil when the score itself was
    /// decided, or by the machine.
    package var value: String?

    /// `by` of what no person decided.
    package static let machine = "machine"

    package init(
        question: Int, score: Double?, max: Double, by: String = Mark.machine, flags: [MarkFlag] = [],
        value: String? = nil
    ) {
        self.question = question
        self.score = score
        self.max = max
        self.by = by
        self.flags = flags
        self.value = value
    }

    package var needsReview: Bool { flags.contains(where: \.needsReview) }
}
