import Domain

/// An exam as clients see it; who has to do with it has addresses of its own.
struct ExamDocument: Encodable {
    let exam: Exam

    init(exam: Exam) {
        var exam = exam
        exam.grants = nil
        self.exam = exam
    }

    enum CodingKeys: String, CodingKey {
        case maxScore = "max_score"
    }

    func encode(to encoder: any Encoder) throws {
        try exam.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(exam.maxScore, forKey: .maxScore)
    }
}

/// An exam as lists show it: without its questions.
struct ExamSummary: Encodable {
    let id: ExamID
    let title: String
    let subject: String
    let owner: UserID
    let questionCount: Int
    let maxScore: Double
    let createdAt: Timestamp
    let updatedAt: Timestamp
    let publishedAt: Timestamp?
    let version: Int
    let keyVersion: Int

    init(_ exam: Exam) {
        id = exam.id
        title = exam.title
        subject = exam.subject
        owner = exam.owner
        questionCount = exam.questions.count
        maxScore = exam.maxScore
        createdAt = exam.createdAt
        updatedAt = exam.updatedAt
        publishedAt = exam.publishedAt
        version = exam.version
        keyVersion = exam.keyVersion
    }

    enum CodingKeys: String, CodingKey {
        case id, title, subject, owner
        case questionCount = "question_count"
        case maxScore = "max_score"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
        case publishedAt = "published_at"
        case version
        case keyVersion = "key_version"
    }
}

/// What a `PATCH` changes; what is absent stays.
struct ExamPatch: Decodable {
    var title: String?
    var subject: String?
    var studentIDDigits: Int?
    var questions: [Question]?

    enum CodingKeys: String, CodingKey {
        case title, subject
        case studentIDDigits = "student_id_digits"
        case questions
    }

    func applied(to draft: ExamDraft) -> ExamDraft {
        ExamDraft(
            title: title ?? draft.title, subject: subject ?? draft.subject,
            studentIDDigits: studentIDDigits ?? draft.studentIDDigits, questions: questions ?? draft.questions)
    }
}
