import Access
import Domain
import ExamStore

/// Which exams, and what belongs to them, a user may see and change.
struct ExamAccess: Sendable {
    let store: ExamStore

    /// - Throws: `Problem` with 404 when there is no such exam, 403 when it is another teacher's.
    func exam(_ id: ExamID, for bearer: AccessClaims) async throws -> Exam {
        guard let exam = try await store.exam(id) else { throw Problem.notFound("exam", id) }
        try check(exam, for: bearer)
        return exam
    }

    /// The sheet and its exam.
    func sheet(_ id: SheetID, for bearer: AccessClaims) async throws -> (Sheet, Exam) {
        // The exam first: a deleted exam's sheets are gone with it, whatever is left of them.
        guard let examID = id.examID, let exam = try await store.exam(examID) else {
            throw Problem.notFound("sheet", id)
        }
        try check(exam, for: bearer)
        guard let sheet = try await store.sheet(id) else { throw Problem.notFound("sheet", id) }
        return (sheet, exam)
    }

    private func check(_ exam: Exam, for bearer: AccessClaims) throws(Problem) {
        switch bearer.role {
        case .admin, .service: return
        case .teacher where exam.owner == bearer.user: return
        case .teacher: throw .forbidden("The exam \(exam.id) is another teacher's.")
        case .marker, .student: throw .forbidden("The role \(bearer.role.rawValue) may not see exams.")
        }
    }
}
