import Access
import Domain
import ExamStore

/// What somebody may do with an exam; each includes those before.
enum ExamRight: Int, Comparable, Sendable {
    /// See it, its sheets, events, tasks and reports.
    case read
    /// Change it, upload, publish, assign markers, steer its tasks.
    case edit
    /// Share and delete it.
    case own

    static func < (left: ExamRight, right: ExamRight) -> Bool { left.rawValue < right.rawValue }
}

/// Which exams, and what belongs to them, a user may see and change: the one place that decides.
///
/// Who has nothing to do with an exam does not learn whether it exists (404); who has, and may do less than is asked, is
/// told so (403).
///
/// | role | has to do with | may |
/// |---|---|---|
/// | admin, service | every exam | everything |
/// | teacher | own exams | everything |
/// | teacher | exams shared with it | `read`, or `edit` |
/// | marker | exams with questions assigned to it | see these questions and their marks, and decide their reviews |
/// | student | published exams with a sheet of its number | see its own result |
struct ExamAccess: Sendable {
    let store: ExamStore

    /// - Throws: `Problem` with 404 or 403.
    func exam(_ id: ExamID, for bearer: AccessClaims, to right: ExamRight = .read) async throws -> Exam {
        guard let exam = try await store.exam(id), Self.hasToDo(bearer, with: exam) else {
            throw Problem.notFound("exam", id)
        }
        try Self.check(right, to: exam, for: bearer)
        return exam
    }

    /// True when there is the exam and `bearer` may know of it.
    func knows(_ id: ExamID, _ bearer: AccessClaims) async throws -> Bool {
        try await store.exam(id).map { Self.hasToDo(bearer, with: $0) } ?? false
    }

    /// The sheet and its exam.
    func sheet(
        _ id: SheetID, for bearer: AccessClaims, to right: ExamRight = .read
    ) async throws -> (Sheet, Exam) {
        let (sheet, exam) = try await known(id, for: bearer)
        try Self.check(right, to: exam, for: bearer)
        return (sheet, exam)
    }

    /// An exam as somebody may see it who may see some of its questions: without the others.
    func questions(of id: ExamID, for bearer: AccessClaims) async throws -> Exam {
        guard var exam = try await store.exam(id), Self.hasToDo(bearer, with: exam) else {
            throw Problem.notFound("exam", id)
        }
        if let visible = Self.visibleQuestions(of: exam, for: bearer) {
            exam.questions.removeAll { !visible.contains($0.number) }
        }
        return exam
    }

    /// A sheet of which somebody may see some of the questions.
    ///
    /// - Returns: the sheet, and the numbers of these questions; nil for all of the sheet. With a set, nothing but marks
    ///   and cut-outs of these questions may be given away, and no student.
    func markedSheet(_ id: SheetID, for bearer: AccessClaims) async throws -> (Sheet, questions: Set<Int>?) {
        let (sheet, exam) = try await known(id, for: bearer)
        return (sheet, Self.visibleQuestions(of: exam, for: bearer))
    }

    /// What of an exam's reviews `bearer` may have.
    ///
    /// - Parameter right: needed by who manages the exam; a marker's questions are its own to see and to decide.
    static func reviewTargets(of exam: Exam, for bearer: AccessClaims, to right: ExamRight) -> Set<ReviewTarget> {
        if let given = Self.right(of: bearer, to: exam) { return given >= right ? exam.reviewTargets : [] }
        guard bearer.role == .marker else { return [] }
        return Set((exam.grants?.questions(of: bearer.user) ?? []).map { ReviewTarget.question($0) })
    }

    /// Whether `bearer` may have a review.
    static func check(
        _ right: ExamRight, _ target: ReviewTarget, of exam: Exam, for bearer: AccessClaims
    ) throws(Problem) {
        guard reviewTargets(of: exam, for: bearer, to: right).contains(target) else {
            // A marker of other questions, or a right that does not reach.
            try check(right, to: exam, for: bearer)
            throw .notFound("question", target.name)
        }
    }

    /// The review and its exam.
    func review(
        _ id: ReviewID, for bearer: AccessClaims, to right: ExamRight = .read
    ) async throws -> (ReviewRecord, Exam) {
        guard let parts = id.parts, let exam = try await store.exam(parts.exam), Self.hasToDo(bearer, with: exam) else {
            throw Problem.notFound("review", id)
        }
        try Self.check(right, parts.target, of: exam, for: bearer)
        guard let record = try await store.review(id) else { throw Problem.notFound("review", id) }
        return (record, exam)
    }

    /// True when `bearer` may know of the exam.
    static func hasToDo(_ bearer: AccessClaims, with exam: Exam) -> Bool {
        right(of: bearer, to: exam) != nil
            || bearer.role == .marker && exam.grants?.questions(of: bearer.user).isEmpty == false
    }

    /// nil for all questions, when `bearer` may see the exam as a whole.
    private static func visibleQuestions(of exam: Exam, for bearer: AccessClaims) -> Set<Int>? {
        right(of: bearer, to: exam) != nil ? nil : Set(exam.grants?.questions(of: bearer.user) ?? [])
    }

    private func known(_ id: SheetID, for bearer: AccessClaims) async throws -> (Sheet, Exam) {
        // The exam first: a deleted exam's sheets are gone with it, whatever is left of them.
        guard let examID = id.examID, let exam = try await store.exam(examID), Self.hasToDo(bearer, with: exam),
            let sheet = try await store.sheet(id)
        else { throw Problem.notFound("sheet", id) }
        return (sheet, exam)
    }

    /// - Returns: nil for who may not see the exam as a whole.
    private static func right(of bearer: AccessClaims, to exam: Exam) -> ExamRight? {
        switch bearer.role {
        case .admin, .service: .own
        case .teacher where exam.owner == bearer.user: .own
        case .teacher:
            switch exam.grants?.access(of: bearer.user) {
            case .edit: .edit
            case .read: .read
            case nil: nil
            }
        case .marker, .student: nil
        }
    }

    private static func check(_ right: ExamRight, to exam: Exam, for bearer: AccessClaims) throws(Problem) {
        guard let given = Self.right(of: bearer, to: exam) else {
            throw .forbidden("Markers see the questions assigned to them alone.")
        }
        guard given >= right else {
            throw .forbidden(
                given == .read
                    ? "The exam \(exam.id) is shared with you to be read, not to be changed."
                    : "Only the owner of the exam \(exam.id) may do this.")
        }
    }
}
