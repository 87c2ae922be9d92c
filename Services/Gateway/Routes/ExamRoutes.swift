import Access
import AnswerSheet
import Domain
import ExamStore
import HTTPTypes
import Hummingbird
import NIOCore
import TaskQueue

/// Exams: create, list, read, change, delete.
struct ExamRoutes: Sendable {
    let store: ExamStore
    let access: ExamAccess
    /// Of those that are asked for over and over. The exam with the questions that were shown; a marker's are not all. They are
    /// of the same array each time the store has had no need to decode, and then not compared element by element.
    private let encoded = ExamCache<Exam, ByteBuffer> { _, json in json.readableBytes }

    init(store: ExamStore, access: ExamAccess) {
        self.store = store
        self.access = access
    }

    func declare(in routes: RouteTable) {
        routes.on(
            .post, "/api/exams", allow: .staff,
            Operation(
                "Creates an exam.", body: .json(.examDraft, example: Self.example),
                .json(.exam, .created, headers: [.location: "Where it is.", .eTag: "Its version."]), repetition: .byBody
            ),
            use: create)
        routes.on(
            .get, "/api/exams", allow: .staffAndMarkers,
            Operation(
                "Lists exams, the newest first.",
                detail:
                    "A teacher sees own exams and those shared with it, a marker those with questions assigned to it.",
                parameters: [.cursor, .limit()],
                .json(.list(of: .examSummary))),
            use: list)
        routes.on(
            .get, "/api/exams/{exam}", allow: .staffAndMarkers,
            Operation(
                "Shows an exam.", detail: "A marker sees the questions assigned to it.", parameters: [.ifNoneMatch],
                .json(.exam, headers: [.eTag: "Its version."]),
                .notModified),
            use: show)
        routes.on(
            .put, "/api/exams/{exam}", allow: .staff,
            Operation(
                "Replaces an exam.",
                detail:
                    "A change of key, points or rules marks all sheets again; once there are sheets no field can move.",
                parameters: [.ifMatch], body: .json(.examDraft), .json(.exam, headers: [.eTag: "Its version."]),
                problems: [.conflict, .preconditionFailed]),
            use: replace)
        routes.on(
            .patch, "/api/exams/{exam}", allow: .staff,
            Operation(
                "Changes parts of an exam; what is absent stays.", parameters: [.ifMatch], body: .json(.examPatch),
                .json(.exam, headers: [.eTag: "Its version."]), problems: [.conflict, .preconditionFailed]),
            use: patch)
        routes.on(
            .delete, "/api/exams/{exam}", allow: .staff,
            Operation(
                "Deletes an exam and all that belongs to it.", parameters: [.ifMatch], .deleted,
                problems: [.preconditionFailed]),
            use: delete)
    }

    private static let example: JSONValue = [
        "title": "Midterm", "subject": "Mathematics", "student_id_digits": .integer(8),
        "questions": [
            [
                "number": .integer(1), "type": "single_choice", "options": .integer(4), "points": .integer(2),
                "answer": "B",
            ],
            ["number": .integer(2), "type": "numeric", "points": .integer(3), "answer": "3.14"],
        ],
    ]

    @Sendable
    private func create(_ call: Call) async throws -> Response {
        let draft = try Self.checked(try await call.json(ExamDraft.self))
        let now = Timestamp.now
        let repeatableID = call.repeatableID("exam").map { ExamID($0) }
        let exam = Exam(
            id: repeatableID ?? .make(), draft: draft, owner: call.bearer.user, createdAt: now, updatedAt: now,
            version: 1, keyVersion: 1)
        let created = try await create(exam, mayExist: repeatableID != nil, call.eventContext)
        var headers = Self.headers(of: created)
        headers[.location] = "/api/exams/\(created.id)"
        return try .json(ExamDocument(exam: created), status: .created, headers: headers)
    }

    /// - Parameter mayExist: whether the same request may have made it earlier, and its answer was not kept.
    private func create(_ exam: Exam, mayExist: Bool, _ context: EventContext) async throws -> Exam {
        do {
            try await store.create(exam, layout: AnswerSheetLayout.make(for: exam), context: context)
            return exam
        } catch let error as ExamStoreError where error.code == .versionMismatch && mayExist {
            guard let known = try await store.exam(exam.id) else { throw Problem.notFound("exam", exam.id) }
            return known
        }
    }

    @Sendable
    private func list(_ call: Call) async throws -> Response {
        let user = [.teacher, .marker].contains(call.bearer.role) ? call.bearer.user : nil
        let page = try await store.exams(of: user, cursor: try call.cursor(), limit: try call.limit())
        // Who has changed roles is still on lists of the former one.
        let exams = page.items.filter { ExamAccess.hasToDo(call.bearer, with: $0) }
        return try .json(ListDocument(items: exams.map(ExamSummary.init), nextCursor: page.nextCursor))
    }

    @Sendable
    private func show(_ call: Call) async throws -> Response {
        let exam = try await access.questions(of: call.examID, for: call.bearer)
        let headers = Self.headers(of: exam)
        if let seen = call.request.headers[.ifNoneMatch], EntityTag.list(seen, matches: EntityTag.of(exam)) {
            return Response(status: .notModified, headers: headers)
        }
        return .json(
            try encoded.value(exam.id, of: exam) { ByteBuffer(bytes: try JSON.encode(ExamDocument(exam: exam))) },
            headers: headers)
    }

    @Sendable
    private func replace(_ call: Call) async throws -> Response {
        let exam = try await access.exam(call.examID, for: call.bearer, to: .edit)
        let draft = try Self.checked(try await call.json(ExamDraft.self))
        let changed = try await store.update(
            exam.id, draft: draft, expectedVersion: try Self.expectedVersion(call, exam),
            context: call.eventContext, makeLayout: { AnswerSheetLayout.make(for: $0) })
        return try .json(ExamDocument(exam: changed), headers: Self.headers(of: changed))
    }

    @Sendable
    private func patch(_ call: Call) async throws -> Response {
        let patch = try await call.json(ExamPatch.self)
        // A patch means "whatever the rest is", so a change by somebody else in between only makes it start again.
        var attempts = 5
        while true {
            let exam = try await access.exam(call.examID, for: call.bearer, to: .edit)
            let expected = try Self.expectedVersion(call, exam)
            do {
                let changed = try await store.update(
                    exam.id, draft: try Self.checked(patch.applied(to: exam.draft)),
                    expectedVersion: exam.version, context: call.eventContext,
                    makeLayout: { AnswerSheetLayout.make(for: $0) })
                return try .json(ExamDocument(exam: changed), headers: Self.headers(of: changed))
            } catch let error as ExamStoreError where error.code == .versionMismatch && expected == nil && attempts > 0
            {
                attempts -= 1
            }
        }
    }

    @Sendable
    private func delete(_ call: Call) async throws -> Response {
        let exam = try await access.exam(call.examID, for: call.bearer, to: .own)
        let expected = try Self.expectedVersion(call, exam)
        try await store.delete(exam.id, expectedVersion: expected, context: call.eventContext)
        return Response(status: .noContent)
    }

    private static func checked(_ draft: ExamDraft) throws -> ExamDraft {
        let problems = draft.problems()
        guard problems.isEmpty else {
            let more = problems.count > 1 ? " (and \(problems.count - 1) more)" : ""
            throw Problem(
                .unprocessableContent, "invalid-exam", "\(problems[0].pointer) \(problems[0].detail)\(more).",
                errors: problems)
        }
        return draft
    }

    /// The version `If-Match` asks for, nil without one.
    ///
    /// - Throws: `Problem` with 412 when the exam has another already.
    private static func expectedVersion(_ call: Call, _ exam: Exam) throws -> Int? {
        guard let condition = call.request.headers[.ifMatch] else { return nil }
        guard EntityTag.list(condition, matches: EntityTag.of(exam), isStrong: true) else {
            throw Problem(
                .preconditionFailed, "version-mismatch",
                "The exam has version \(exam.version) by now. Read it again and repeat the change.",
                headers: headers(of: exam))
        }
        return condition.trimmingBlanks() == "*" ? nil : exam.version
    }

    private static func headers(of exam: Exam) -> HTTPFields {
        [.eTag: EntityTag.of(exam), .cacheControl: "private, no-cache"]
    }
}
