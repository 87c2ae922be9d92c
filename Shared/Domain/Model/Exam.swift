/// What a client sends to create or change an exam.
package struct ExamDraft: Codable, Equatable, Sendable {
    /// 1 to 200 characters.
    package var title: String
    package var subject: String
    /// Columns of the student-id grid, 1 to 20.
    package var studentIDDigits: Int
    /// 1 to 300 questions.
    package var questions: [Question]

    package init(title: String, subject: String, studentIDDigits: Int, questions: [Question]) {
        self.title = title
        self.subject = subject
        self.studentIDDigits = studentIDDigits
        self.questions = questions
    }

    enum CodingKeys: String, CodingKey {
        case title, subject
        case studentIDDigits = "student_id_digits"
        case questions
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        title = try container.decode(String.self, forKey: .title)
        subject = try container.decodeIfPresent(String.self, forKey: .subject) ?? ""
        studentIDDigits = try container.decodeIfPresent(Int.self, forKey: .studentIDDigits) ?? 8
        questions = try container.decode([Question].self, forKey: .questions)
    }
}

/// An exam as stored.
package struct Exam: Codable, Equatable, Sendable {
    package var id: ExamID
    package var title: String
    package var subject: String
    package var studentIDDigits: Int
    package var questions: [Question]
    package var owner: UserID
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    /// Rises by one with every change.
    package var version: Int
    /// The version in which the answer key, points or rules last changed; marks name the one they were made with.
    package var keyVersion: Int
    /// nil when only the owner has to do with it.
    package var grants: ExamGrants?
    /// When students were let see their results; nil while they are not.
    package var publishedAt: Timestamp?

    package init(
        id: ExamID, draft: ExamDraft, owner: UserID, createdAt: Timestamp, updatedAt: Timestamp, version: Int,
        keyVersion: Int
    ) {
        self.id = id
        title = draft.title
        subject = draft.subject
        studentIDDigits = draft.studentIDDigits
        questions = draft.questions
        self.owner = owner
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.version = version
        self.keyVersion = keyVersion
    }

    enum CodingKeys: String, CodingKey {
        case id, title, subject
        case studentIDDigits = "student_id_digits"
        case questions, owner
        case createdAt = "created_at"
        case updatedAt = "updated_at"
        case version
        case keyVersion = "key_version"
        case grants
        case publishedAt = "published_at"
    }

    package var draft: ExamDraft {
        ExamDraft(title: title, subject: subject, studentIDDigits: studentIDDigits, questions: questions)
    }

    /// The sum of all points.
    package var maxScore: Double {
        Score.sum(questions.map(\.points))
    }
}

/// Arithmetic of points, exact to 0.01.
package enum Score {
    /// Whether it is a whole number of hundredths.
    package static func isInSteps(_ value: Double) -> Bool {
        abs(value * 100 - (value * 100).rounded()) < 1e-6
    }

    package static func rounded(_ value: Double) -> Double {
        (value * 100).rounded() / 100
    }

    package static func sum(_ values: some Sequence<Double>) -> Double {
        values.reduce(0) { $0 + ($1 * 100).rounded() } / 100
    }
}
