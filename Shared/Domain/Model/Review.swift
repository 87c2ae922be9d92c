/// What a person is asked to decide about a sheet.
package enum ReviewTarget: Hashable, Sendable {
    /// The mark of a question, by its number.
    case question(Int)
    /// Whose sheet it is.
    case studentID
    /// Whether the reading of pages whose print was doubtful, or that are empty, stands.
    case page

    /// - Returns: nil when `name` is none.
    package init?(_ name: some StringProtocol) {
        switch name {
        case "student_id": self = .studentID
        case "page": self = .page
        default:
            guard name.first == "q", let number = Int(name.dropFirst()), (1...999).contains(number),
                name == "q\(number)"
            else { return nil }
            self = .question(number)
        }
    }

    /// `q12`, `student_id` or `page`: also the name of the field on the sheet.
    package var name: String {
        switch self {
        case .question(let number): "q\(number)"
        case .studentID: "student_id"
        case .page: "page"
        }
    }

    package var kind: Review.Kind {
        switch self {
        case .question: .question
        case .studentID: .studentID
        case .page: .page
        }
    }

    package var question: Int? {
        if case .question(let number) = self { number } else { nil }
    }
}

/// A review: `<sheet>.<target>`, so there is one of each target on each sheet, and the exam can be told from it.
package struct ReviewID: StringIdentifier {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    package init(_ sheet: SheetID, _ target: ReviewTarget) {
        rawValue = "\(sheet).\(target.name)"
    }

    /// What it is about, or nil when the string is no identifier of a review.
    package var parts: (exam: ExamID, sheet: SheetID, target: ReviewTarget)? {
        guard let dot = rawValue.lastIndex(of: "."),
            let target = ReviewTarget(rawValue[rawValue.index(after: dot)...])
        else { return nil }
        let sheet = SheetID(String(rawValue[..<dot]))
        return sheet.examID.map { ($0, sheet, target) }
    }
}

/// A question of a sheet, or something about the sheet as a whole, that a person must mark or confirm.
package struct Review: Codable, Equatable, Sendable {
    package enum Kind: String, Codable, Sendable, CaseIterable {
        case question
        case studentID = "student_id"
        case page
    }

    /// A mark as it came to be: the machine's, one of a person, the machine's by another key.
    package struct Change: Codable, Equatable, Sendable {
        /// `machine`, or the user who decided.
        package var by: String
        package var at: Timestamp
        package var score: Double?
        /// The answer, or the student's number, that the person read.
        package var value: String?
        /// Why, in the person's words.
        package var comment: String?
        /// The sheet was put aside as a second scan of another.
        package var discarded: Bool?
        /// The fence of the lease it was decided under.
        package var fence: Int?

        package init(
            by: String, at: Timestamp = .now, score: Double? = nil, value: String? = nil, comment: String? = nil,
            discarded: Bool? = nil, fence: Int? = nil
        ) {
            self.by = by
            self.at = at
            self.score = score
            self.value = value
            self.comment = comment
            self.discarded = discarded
            self.fence = fence
        }
    }

    /// Changes a review keeps; the audit log has all.
    package static let maxChanges = 100

    package var id: ReviewID
    package var isSettled = false
    /// The only user who gets it from the queue; nil for whoever may.
    package var assignee: UserID?
    /// Why a person is asked: flags of the mark, or of the sheet.
    package var reasons: [String]
    package var requestedAt: Timestamp
    /// The oldest first.
    package private(set) var history: [Change] = []

    package init(id: ReviewID, reasons: [String], requestedAt: Timestamp = .now) {
        self.id = id
        self.reasons = reasons
        self.requestedAt = requestedAt
    }

    package mutating func append(_ change: Change) {
        history.append(change)
        // The first is what the machine said.
        if history.count > Self.maxChanges { history.remove(at: 1) }
    }

    /// True when a person has decided it before.
    package var wasDecided: Bool { history.contains { $0.by != Mark.machine } }
}

/// A person's hold on a review: nobody else gets it until the lease ends.
package struct ReviewLease: Equatable, Sendable {
    package var user: UserID
    /// Of this lease alone: a decision made under another is refused.
    package var fence: Int
    package var expiresAt: Timestamp

    package init(user: UserID, fence: Int, expiresAt: Timestamp) {
        self.user = user
        self.fence = fence
        self.expiresAt = expiresAt
    }
}
