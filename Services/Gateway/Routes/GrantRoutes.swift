import Domain
import ExamStore
import HTTPTypes
import Hummingbird

/// Who has to do with an exam besides its owner, and whether students see their results.
struct GrantRoutes: Sendable {
    let store: ExamStore
    let access: ExamAccess

    func declare(in routes: RouteTable) {
        routes.on(.get, "/api/exams/{exam}/shares", allow: .staff, use: shares)
        routes.on(.put, "/api/exams/{exam}/shares/{user}", allow: .staff, use: share)
        routes.on(.delete, "/api/exams/{exam}/shares/{user}", allow: .staff, use: unshare)
        routes.on(.get, "/api/exams/{exam}/markers", allow: .staff, use: markers)
        routes.on(.put, "/api/exams/{exam}/markers/{user}", allow: .staff, use: assign)
        routes.on(.delete, "/api/exams/{exam}/markers/{user}", allow: .staff, use: dismiss)
        routes.on(.post, "/api/exams/{exam}/publish", allow: .staff) { try await publish(true, $0) }
        routes.on(.post, "/api/exams/{exam}/unpublish", allow: .staff) { try await publish(false, $0) }
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
