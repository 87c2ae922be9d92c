import Domain
import ExamStore
import HTTPTypes
import Hummingbird

/// Who has to do with an exam besides its owner, and whether students see their results.
struct GrantRoutes: Sendable {
    let store: ExamStore
    let access: ExamAccess

    func declare(in routes: RouteTable) {
        routes.on(
            .get, "/api/exams/{exam}/shares", allow: .staff,
            Operation("Lists with whom an exam is shared.", .json(.list(of: .share))),
            use: shares)
        routes.on(
            .put, "/api/exams/{exam}/shares/{user}", allow: .staff,
            Operation(
                "Shares an exam with a teacher, or changes how.",
                body: .json(.object("ShareRequest", ["access": .choice(of: ExamGrants.Access.self)])), .json(.share),
                problems: [.conflict]),
            use: share)
        routes.on(
            .delete, "/api/exams/{exam}/shares/{user}", allow: .staff,
            Operation(
                "Takes a share back.", .deleted, problems: [.conflict, .unprocessableContent]),
            use: unshare)
        routes.on(
            .get, "/api/exams/{exam}/markers", allow: .staff,
            Operation("Lists who marks which questions of an exam.", .json(.list(of: .assignment))),
            use: markers)
        routes.on(
            .put, "/api/exams/{exam}/markers/{user}", allow: .staff,
            Operation(
                "Assigns questions to a marker.",
                body: .json(
                    .object("AssignmentRequest", ["questions": .array(of: .integer(1...999), count: 1...300)])),
                .json(.assignment), problems: [.conflict]),
            use: assign)
        routes.on(
            .delete, "/api/exams/{exam}/markers/{user}", allow: .staff,
            Operation(
                "Takes a marker's questions back.", .deleted, problems: [.conflict, .unprocessableContent]),
            use: dismiss)
        routes.on(
            .post, "/api/exams/{exam}/publish", allow: .staff,
            Operation(
                "Lets students see their results.", .json(.exam, headers: [.eTag: "Its version."]),
                problems: [.conflict]),
            use: { try await publish(true, $0) })
        routes.on(
            .post, "/api/exams/{exam}/unpublish", allow: .staff,
            Operation(
                "Hides the results from students.", .json(.exam, headers: [.eTag: "Its version."]),
                problems: [.conflict]),
            use: { try await publish(false, $0) })
    }

    // MARK: Teachers

    private struct ShareRequest: Decodable {
        var access: ExamGrants.Access
    }

    @Sendable
    private func shares(_ call: Call) async throws -> Response {
        let exam = try await access.exam(call.examID, for: call.bearer, to: .own)
        return try .json(ListDocument(items: exam.grants?.shares ?? [], nextCursor: nil))
    }

    /// The user need not be known here: it may be one of an outside issuer.
    @Sendable
    private func share(_ call: Call) async throws -> Response {
        let exam = try await access.exam(call.examID, for: call.bearer, to: .own)
        let request = try await call.json(ShareRequest.self, limit: 1024)
        let user = try Self.user(call)
        guard user != exam.owner else {
            throw Problem(.unprocessableContent, "invalid-share", "The exam is the user's own.")
        }
        _ = try await store.share(exam.id, with: user, request.access, context: call.eventContext)
        return try .json(ExamGrants.Share(user: user, access: request.access))
    }

    @Sendable
    private func unshare(_ call: Call) async throws -> Response {
        let exam = try await access.exam(call.examID, for: call.bearer, to: .own)
        _ = try await store.share(exam.id, with: try Self.user(call), nil, context: call.eventContext)
        return Response(status: .noContent)
    }

    // MARK: Markers

    private struct AssignmentRequest: Decodable {
        var questions: [Int]
    }

    @Sendable
    private func markers(_ call: Call) async throws -> Response {
        let exam = try await access.exam(call.examID, for: call.bearer)
        return try .json(ListDocument(items: exam.grants?.markers ?? [], nextCursor: nil))
    }

    @Sendable
    private func assign(_ call: Call) async throws -> Response {
        let exam = try await access.exam(call.examID, for: call.bearer, to: .edit)
        let request = try await call.json(AssignmentRequest.self, limit: 16 << 10)
        let user = try Self.user(call)
        let known = Set(exam.questions.map(\.number))
        guard !request.questions.isEmpty else {
            throw Self.invalid("/questions", "must name a question; DELETE takes an assignment back")
        }
        if let index = request.questions.firstIndex(where: { !known.contains($0) }) {
            throw Self.invalid("/questions/\(index)", "is no question of the exam")
        }
        let changed = try await store.assign(
            Set(request.questions), of: exam.id, to: user, context: call.eventContext)
        return try .json(
            ExamGrants.Assignment(user: user, questions: changed.grants?.questions(of: user) ?? []))
    }

    @Sendable
    private func dismiss(_ call: Call) async throws -> Response {
        let exam = try await access.exam(call.examID, for: call.bearer, to: .edit)
        _ = try await store.assign([], of: exam.id, to: try Self.user(call), context: call.eventContext)
        return Response(status: .noContent)
    }

    // MARK: Students

    private func publish(_ isPublished: Bool, _ call: Call) async throws -> Response {
        let exam = try await access.exam(call.examID, for: call.bearer, to: .edit)
        let changed = try await store.setPublished(isPublished, exam.id, context: call.eventContext)
        return try .json(ExamDocument(exam: changed), headers: [.eTag: EntityTag.of(changed)])
    }

    // MARK: Inside

    private static func user(_ call: Call) throws -> UserID {
        guard call.userID.isValid else {
            throw Problem(
                .unprocessableContent, "invalid-user",
                "A user's name is 1 to 64 ASCII letters, digits, _, -, . or @.")
        }
        return call.userID
    }

    private static func invalid(_ pointer: String, _ detail: String) -> Problem {
        Problem(
            .unprocessableContent, "invalid-assignment", "\(pointer) \(detail).",
            errors: [FieldProblem(pointer: pointer, detail: detail)])
    }
}
