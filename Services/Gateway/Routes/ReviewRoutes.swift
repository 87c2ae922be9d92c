import Access
import BlobStore
import Domain
import ExamStore
import HTTPTypes
import Hummingbird

/// What people must mark or confirm: who gets which, and what they say.
struct ReviewRoutes: Sendable {
    let store: ExamStore
    let access: ExamAccess
    let pictures: ScanPictures
    let blobs: BlobStore
    /// How long nobody else gets a review that somebody has taken.
    let lease: Duration

    func declare(in routes: RouteTable) {
        routes.on(
            .post, "/api/reviews/next", allow: .staffAndMarkers,
            Operation(
                "Takes the next review.",
                detail: """
                    Those assigned to the caller come first, then what others began and did not end, then what waits \
                    longest. Nobody else gets it until its lease ends.
                    """, body: .json(.reviewOrder), .json(.review), .empty(.noContent, "There is none."),
                problems: [.notFound], repetition: .byBody),
            use: next)
        routes.on(
            .get, "/api/reviews", allow: .staffAndMarkers,
            Operation(
                "Lists the reviews of an exam in order of their arrival.",
                detail: "`exam_id` is needed. A page may hold fewer than `limit` before the end of the list.",
                parameters: [
                    .examFilter, .query("question", .integer(1...999), "Of this question only."),
                    .query("status", .choice(of: ReviewStatus.self), "In this status only."), .cursor, .limit(),
                ], .json(.list(of: .review)), problems: [.notFound]),
            use: list)
        routes.on(
            .get, "/api/reviews/{review}", allow: .staffAndMarkers,
            Operation("Shows a review.", .json(.review)),
            use: show)
        routes.on(
            .get, "/api/reviews/{review}/image", allow: .staffAndMarkers,
            Operation(
                "The cut-out of the scan that the review is about.", parameters: [.ifNoneMatch],
                .content("image/jpeg", "Nothing but the question.", headers: [.eTag: "Names the content."]),
                .notModified),
            use: image)
        routes.on(
            .post, "/api/reviews/{review}/lease", allow: .staffAndMarkers,
            Operation(
                "Takes this very review, or keeps it for longer.", .json(.review), problems: [.conflict]),
            use: take)
        routes.on(
            .post, "/api/reviews/{review}/release", allow: .staffAndMarkers,
            Operation(
                "Gives a review back.",
                detail: "Who may edit the exam can take it from anybody, and back to whom it was assigned.",
                .empty(.noContent, "Nobody has it."), problems: [.conflict]),
            use: release)
        routes.on(
            .post, "/api/reviews/{review}/assign", allow: .staff,
            Operation(
                "Gives a review to somebody.", body: .json(.reviewAssignment), .json(.review), problems: [.conflict]),
            use: assign)
        routes.on(
            .post, "/api/reviews/{review}/submit", allow: .staffAndMarkers,
            Operation(
                "Settles a review.",
                detail: "Sent again under the same lease it is answered alike; otherwise decided it is refused (409).",
                body: .json(.reviewDecision), .json(.review), problems: [.conflict]),
            use: submit)
    }

    private struct Order: Decodable {
        var examID: ExamID?
        var questions: [Int]?

        enum CodingKeys: String, CodingKey {
            case examID = "exam_id"
            case questions
        }
    }

    @Sendable
    private func next(_ call: Call) async throws -> Response {
        let order = try await call.json(Order.self, limit: 16 << 10)
        if order.questions?.isEmpty == true { throw Problem.unprocessable([Self.noQuestion]) }
        let wanted = order.questions.map { Set($0.map { ReviewTarget.question($0) }) }
        if let id = order.examID {
            let exam = try await exam(id, for: call.bearer)
            return try await next(of: exam, wanted, call) ?? Response(status: .noContent)
        }
        let isOperator = Set<Role>.operators.contains(call.bearer.role)
        for id in try await store.examsToReview(of: isOperator ? nil : call.bearer.user) {
            guard let exam = try await store.exam(id) else { continue }
            if let response = try await next(of: exam, wanted, call) { return response }
        }
        return Response(status: .noContent)
    }

    private static let noQuestion = FieldProblem(pointer: "/questions", detail: "must name a question")

    /// An exam whose reviews the caller may decide.
    private func exam(_ id: ExamID, for bearer: AccessClaims) async throws -> Exam {
        guard bearer.role == .marker else { return try await access.exam(id, for: bearer, to: .edit) }
        guard let exam = try await store.exam(id), ExamAccess.hasToDo(bearer, with: exam) else {
            throw Problem.notFound("exam", id)
        }
        return exam
    }

    private func next(of exam: Exam, _ wanted: Set<ReviewTarget>?, _ call: Call) async throws -> Response? {
        let mine = ExamAccess.reviewTargets(of: exam, for: call.bearer, to: .edit)
        let record = try await store.takeReview(
            exam: exam.id, targets: wanted.map(mine.intersection) ?? mine, for: call.bearer.user, lease: lease)
        return if let record { try await response(record, call) } else { nil }
    }

    @Sendable
    private func list(_ call: Call) async throws -> Response {
        guard let id = try call.queriedExam() else {
            throw Problem.badRequest("invalid-query", "is required", at: "?exam_id")
        }
        guard let exam = try await store.exam(id), ExamAccess.hasToDo(call.bearer, with: exam) else {
            throw Problem.notFound("exam", id)
        }
        let mine = ExamAccess.reviewTargets(of: exam, for: call.bearer, to: .read)
        var targets = call.bearer.role == .marker ? mine : nil
        if let question = try call.query("question", "a number from 1 to 999", { Int($0) }) {
            targets = [.question(question)]
            if call.bearer.role == .marker { targets?.formIntersection(mine) }
        }
        let statuses = ReviewStatus.allCases.map(\.rawValue).joined(separator: ", ")
        let page = try await store.reviews(
            exam: id, targets: targets,
            status: try call.query("status", "one of \(statuses)", ReviewStatus.init(rawValue:)),
            cursor: try call.cursor(), limit: try call.limit())
        return try .json(
            ListDocument(
                items: page.items.map { ReviewDocument(record: $0, user: call.bearer.user) },
                nextCursor: page.nextCursor))
    }

    @Sendable
    private func show(_ call: Call) async throws -> Response {
        try await response(try await access.review(call.reviewID, for: call.bearer).0, call)
    }

    /// The field's part of the page it is on; the whole page where that is in question.
    @Sendable
    private func image(_ call: Call) async throws -> Response {
        let (record, exam) = try await access.review(call.reviewID, for: call.bearer)
        guard let parts = record.review.id.parts, let sheet = try await store.sheet(parts.sheet),
            let layout = try await store.layout(of: exam.id),
            let (scan, page, area) = place(of: parts.target, on: sheet, layout), blobs.contains(scan.blob)
        else { throw Problem.notFound("image", call.reviewID) }
        let key = ScanPictures.Key(
            exam: exam.id, blob: scan.blob, filePage: scan.filePage, field: area.map { _ in parts.target.name })
        return try await pictures.response(to: call, key, area: area) { SheetLayout(pages: [page]) }
    }

    /// The area is nil for a whole page.
    private func place(
        of target: ReviewTarget, on sheet: Sheet, _ layout: SheetLayout
    ) -> (SheetPage, LayoutPage, area: Box?)? {
        let read = sheet.pages.filter { $0.reading != nil }
        // Of several pages the one in doubt.
        let doubtful = read.filter { scan in
            let flags = scan.reading?.fields[target.name]?.flags ?? []
            return target == .page ? scan.reading?.flags.isEmpty == false : !flags.isEmpty
        }
        for scan in doubtful + read {
            guard let page = layout.pages.first(where: { $0.number == scan.reading?.page }) else { continue }
            if target == .page { return (scan, page, nil) }
            if let area = CutOutArea.area(of: target.name, on: page) { return (scan, page, area) }
        }
        return nil
    }

    @Sendable
    private func take(_ call: Call) async throws -> Response {
        _ = try await access.review(call.reviewID, for: call.bearer, to: .edit)
        let record = try await store.takeReview(call.reviewID, for: call.bearer.user, lease: lease)
        return try await response(record, call)
    }

    @Sendable
    private func release(_ call: Call) async throws -> Response {
        _ = try await access.review(call.reviewID, for: call.bearer, to: .edit)
        try await store.releaseReview(call.reviewID, by: call.bearer.role == .marker ? call.bearer.user : nil)
        return Response(status: .noContent)
    }

    private struct Assignment: Decodable {
        var user: UserID
    }

    @Sendable
    private func assign(_ call: Call) async throws -> Response {
        let (record, _) = try await access.review(call.reviewID, for: call.bearer, to: .edit)
        let user = try await call.json(Assignment.self, limit: 1024).user
        let target = record.review.id.parts?.target
        let assigned = try await store.assignReview(record.review.id, to: user, context: call.eventContext) { exam in
            guard user.isValid, let target, exam.mayDecide(target, user) else {
                throw Problem.unprocessable([
                    FieldProblem(
                        pointer: "/user", detail: "is neither the exam's owner, nor shares it to edit, nor marks this")
                ])
            }
        }
        return try await response(assigned, call)
    }

    @Sendable
    private func submit(_ call: Call) async throws -> Response {
        let (record, _) = try await access.review(call.reviewID, for: call.bearer, to: .edit)
        let request = try await call.json(ReviewRequest.self, limit: 64 << 10)
        let bearer = call.bearer
        let settled = try await store.settleReview(record.review.id, by: bearer.user, context: call.eventContext) {
            exam, review, sheet in
            // Who marks what may have changed since.
            if let target = review.id.parts?.target {
                try ExamAccess.check(.edit, target, of: exam, for: bearer)
            }
            return try request.decision(exam, review, sheet, by: bearer.user)
        }
        return try await response(settled, call)
    }

    private func response(_ record: ReviewRecord, _ call: Call) async throws -> Response {
        let sheet = if let id = record.review.id.parts?.sheet { try await store.sheet(id) } else { nil as Sheet? }
        return try .json(ReviewDocument(record: record, user: call.bearer.user, sheet: sheet))
    }
}
