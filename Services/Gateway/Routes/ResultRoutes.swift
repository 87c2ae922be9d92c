import Access
import Domain
import ExamStore
import Hummingbird

/// What students see: their own results in published exams, and nothing else.
struct ResultRoutes: Sendable {
    let store: ExamStore

    func declare(in routes: RouteTable) {
        routes.on(
            .get, "/api/results", allow: [.student],
            Operation(
                "Lists one's own results in published exams.", parameters: [.cursor, .limit()],
                .json(.list(of: .result))),
            use: list)
        routes.on(
            .get, "/api/exams/{exam}/results/mine", allow: [.student],
            Operation("Shows one's own result in a published exam.", .json(.result)),
            use: mine)
    }

    @Sendable
    private func list(_ call: Call) async throws -> Response {
        let page = try await store.results(
            student: try Self.student(call), cursor: try call.cursor(), limit: try call.limit())
        return try .json(
            ListDocument(items: page.items.map { ResultDocument($0, marks: nil) }, nextCursor: page.nextCursor))
    }

    @Sendable
    private func mine(_ call: Call) async throws -> Response {
        guard let result = try await store.result(student: try Self.student(call), exam: call.examID) else {
            throw Problem.notFound("exam", call.examID)
        }
        let sheet = try await store.sheet(result.sheet.id)
        return try .json(ResultDocument(result, marks: sheet?.marks ?? []))
    }

    private static func student(_ call: Call) throws -> String {
        guard let number = call.bearer.studentID, User.isStudentNumber(number) else {
            throw Problem(
                .forbidden, "no-student-number", "This user has no student number. An administrator can give it one.")
        }
        return number
    }
}

/// A result as its student sees it. While somebody still looks at the sheet there is no score.
struct ResultDocument: Encodable {
    struct Question: Encodable {
        let question: Int
        let score: Double?
        let max: Double
    }

    let examID: ExamID
    let title: String
    let subject: String
    let publishedAt: Timestamp?
    let studentID: String?
    /// `graded`, or `pending`.
    let status: String
    let score: Double?
    let maxScore: Double
    /// nil in lists.
    let questions: [Question]?

    init(_ result: StudentResult, marks: [Mark]?) {
        let isFinal = result.sheet.status == .graded
        examID = result.exam.id
        title = result.exam.title
        subject = result.exam.subject
        publishedAt = result.exam.publishedAt
        studentID = result.sheet.studentID
        status = isFinal ? "graded" : "pending"
        score = isFinal ? result.sheet.score : nil
        maxScore = result.sheet.maxScore
        questions = marks.map { marks in
            isFinal ? marks.map { Question(question: $0.question, score: $0.score, max: $0.max) } : []
        }
    }

    enum CodingKeys: String, CodingKey {
        case examID = "exam_id"
        case title, subject
        case publishedAt = "published_at"
        case studentID = "student_id"
        case status, score
        case maxScore = "max_score"
        case questions
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(examID, forKey: .examID)
        try container.encode(title, forKey: .title)
        try container.encode(subject, forKey: .subject)
        try container.encode(publishedAt, forKey: .publishedAt)
        try container.encode(studentID, forKey: .studentID)
        try container.encode(status, forKey: .status)
        try container.encode(score, forKey: .score)
        try container.encode(maxScore, forKey: .maxScore)
        try container.encodeIfPresent(questions, forKey: .questions)
    }
}
