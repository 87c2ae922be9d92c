import Access
import Domain
import EventBus
import ExamStore

/// What of a stream of events its user sees.
enum EventAudience: Sendable {
    case everything
    /// What is about these questions, as markers are told.
    case questions(Set<Int>)
    /// Messages in the user's own inbox.
    case own(UserID)

    /// CloudEvents JSON; nil of what the user does not see.
    func json(_ stored: StoredEvent) throws -> [UInt8]? {
        switch self {
        case .everything: return try EventCodec.cloudEventJSON(stored)
        case .questions(let questions):
            guard let asked = MarkerView.questions(of: stored.event), asked.contains(where: questions.contains) else {
                return nil
            }
            return try MarkerView.json(stored, questions: questions)
        case .own(let user):
            return RingEntry.recipient(stored.event) == user ? try EventCodec.cloudEventJSON(stored) : nil
        }
    }
}

extension EventSelection {
    /// What of the events of `filter` somebody sees who follows them as they happen.
    ///
    /// Markers name an exam they mark, and hear of its reviews; without one, of their own messages, like students.
    /// - Throws: `Problem` with 403 or 404.
    func audience(_ filter: EventFilter, for bearer: AccessClaims) async throws -> EventAudience {
        let allowed: Set<EventType>
        let audience: EventAudience
        switch bearer.role {
        case .admin, .service, .teacher:
            try await check(filter.examID, for: bearer)
            return .everything
        case .marker where filter.examID != nil:
            guard let id = filter.examID, let exam = try await access.store.exam(id),
                ExamAccess.hasToDo(bearer, with: exam)
            else { throw Problem.notFound("exam", filter.examID ?? "") }
            allowed = MarkerView.eventTypes
            audience = .questions(Set(exam.grants?.questions(of: bearer.user) ?? []))
        case .marker, .student:
            guard filter.examID == nil else {
                throw Problem.forbidden("Students hear of their own messages: name no exam.")
            }
            allowed = [NotificationCreated.type]
            audience = .own(bearer.user)
        }
        guard filter.types.isSubset(of: allowed) else {
            let names = allowed.map(\.rawValue).sorted().joined(separator: ", ")
            throw Problem.forbidden("The role \(bearer.role.rawValue) hears of \(names) alone.")
        }
        return audience
    }
}
