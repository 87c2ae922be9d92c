package import Domain

/// How well the marking of an exam went. Members are only ever added; what is not known is absent.
package struct QualityReport: Codable, Equatable, Sendable {
    package struct Sheets: Codable, Equatable, Sendable {
        package var total = 0
        /// By status.
        package var uploaded = 0
        package var recognized = 0
        package var graded = 0
        package var review = 0
        package var failed = 0
        /// Sheets with a score.
        package var marked = 0
        /// Sheets by flag, every kind.
        package var flags = Tally(SheetFlag.self)
        /// Failed sheets by the code of their error.
        package var errors: Tally = [:]
    }

    package struct Pages: Codable, Equatable, Sendable {
        package var read = 0
        /// Of reading a page.
        package var meanMilliseconds: Double?
        /// Pages by flag, every kind.
        package var flags = Tally(PageFlag.self)

        enum CodingKeys: String, CodingKey {
            case read
            case meanMilliseconds = "mean_milliseconds"
            case flags
        }
    }

    package struct Fields: Codable, Equatable, Sendable {
        /// The number of the student is a field as well.
        package var read = 0
        /// Fields without any flag, blank included.
        package var unflagged = 0
        package var unflaggedShare: Double?
        /// Fields with another flag than blank.
        package var doubtful = 0
        package var doubtfulShare: Double?
        /// Fields by flag, every kind.
        package var flags = Tally(FieldFlag.self)

        enum CodingKeys: String, CodingKey {
            case read, unflagged
            case unflaggedShare = "unflagged_share"
            case doubtful
            case doubtfulShare = "doubtful_share"
            case flags
        }
    }

    package struct QuestionQuality: Codable, Equatable, Sendable {
        package var question: Int
        /// Marks with a score.
        package var marks = 0
        /// Marks nobody has decided.
        package var undecided = 0
        /// Marks, decided or not, that carry a flag for people.
        package var flagged = 0
        package var flaggedShare: Double?
        package var byMachine = 0
        package var byPeople = 0
        /// Shares of the marks with a score.
        package var machineShare: Double?
        package var peopleShare: Double?

        enum CodingKeys: String, CodingKey {
            case question, marks, undecided, flagged
            case flaggedShare = "flagged_share"
            case byMachine = "by_machine"
            case byPeople = "by_people"
            case machineShare = "machine_share"
            case peopleShare = "people_share"
        }
    }

    /// Somebody whose marks stand.
    package struct Marker: Codable, Equatable, Sendable {
        package var user: String
        package var marks: Int
        /// Questions marked, rising.
        package var questions: [Int]
        /// The mean of points earned as a share of those possible.
        package var meanShare: Double?
        /// The standard deviation of these shares, of the population.
        package var shareDeviation: Double?

        enum CodingKeys: String, CodingKey {
            case user, marks, questions
            case meanShare = "mean_share"
            case shareDeviation = "share_deviation"
        }
    }

    package typealias Tally = [String: Int]

    package var examID: ExamID
    package var sheets = Sheets()
    package var pages = Pages()
    package var fields = Fields()
    /// In the order of the exam.
    package var questions: [QuestionQuality] = []
    /// By user.
    package var markers: [Marker] = []

    enum CodingKeys: String, CodingKey {
        case examID = "exam_id"
        case sheets, pages, fields, questions, markers
    }
}

extension QualityReport.Tally {
    /// Every case with nought.
    init<Flag: CaseIterable & RawRepresentable<String>>(_ type: Flag.Type) {
        self.init(uniqueKeysWithValues: type.allCases.map { ($0.rawValue, 0) })
    }

    mutating func count(_ flags: some Sequence<some RawRepresentable<String>>) {
        for name in Set(flags.map(\.rawValue)) { self[name, default: 0] += 1 }
    }
}
