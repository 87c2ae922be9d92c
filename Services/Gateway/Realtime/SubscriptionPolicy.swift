import Access
import Domain
import ExamStore

/// Who a connection belongs to.
struct RealtimeUser: Sendable, Equatable {
    /// Of its token.
    let claims: AccessClaims

    var id: UserID { claims.user }
    var role: Role { claims.role }
    /// When its token ends.
    var expiresAt: Timestamp { claims.expiresAt }

    init(_ claims: AccessClaims) {
        self.claims = claims
    }
}

/// What of a subscription its user gets.
struct SubscriptionScope: Sendable {
    /// nil for all of the connection type.
    var eventTypes: Set<EventType>?
    /// Of each exam the questions a marker hears of; nil for who hears of everything.
    var questions: [ExamID: Set<Int>]?
}

/// Who may hear of what: the one place that decides it, when a client subscribes, each time it comes back, and when an
/// exam changes.
struct SubscriptionPolicy: Sendable {
    let access: ExamAccess

    /// What of an exam somebody may hear of.
    enum Sight: Sendable, Equatable {
        case everything
        /// Of these questions, and of nothing else.
        case questions(Set<Int>)
        case nothing
    }

    /// - Throws: `ClientMessage.Fault` when the user may not have the subscription; `RedisError` when that cannot be
    ///   told now.
    func check(_ request: ClientMessage.Subscribe, for user: RealtimeUser) async throws -> SubscriptionScope {
        let type = ConnectionTypeCatalog.all[request.kind]
        if let part = type.parts[user.role] { return try await check(request, part, for: user) }
        guard type.roles.contains(user.role) else {
            throw Self.forbidden(
                request, "The role \(user.role.rawValue) may not have the connection type \(type.name).")
        }
        let scope = SubscriptionScope(eventTypes: request.eventTypes)
        guard !seesAllExams(user) else { return scope }
        guard let exams = request.exams else {
            throw Self.forbidden(
                request, "The role \(user.role.rawValue) hears of exams of its own: name them as exam_ids.")
        }
        for exam in exams where try await sight(of: exam, user) != .everything {
            throw Self.forbidden(request, "There is no exam \(exam), or it is another teacher's.")
        }
        return scope
    }

    /// Of a role that gets a part of the connection type.
    private func check(
        _ request: ClientMessage.Subscribe, _ part: Set<EventType>, for user: RealtimeUser
    ) async throws -> SubscriptionScope {
        guard request.eventTypes?.isSubset(of: part) != false else {
            let names = part.map(\.rawValue).sorted().joined(separator: ", ")
            throw Self.forbidden(request, "The role \(user.role.rawValue) hears of \(names) alone.")
        }
        let isOwn = part == [NotificationCreated.type]
        var questions: [ExamID: Set<Int>] = [:]
        for exam in request.exams ?? [] {
            guard case .questions(let assigned) = try await sight(of: exam, user) else {
                throw Self.forbidden(request, "There is no exam \(exam), or no question of it is assigned to you.")
            }
            questions[exam] = assigned
        }
        guard isOwn || request.exams != nil else {
            throw Self.forbidden(
                request, "The role \(user.role.rawValue) hears of exams it marks: name them as exam_ids.")
        }
        return SubscriptionScope(eventTypes: request.eventTypes ?? part, questions: isOwn ? nil : questions)
    }

    /// Whether a change of an exam can never take its events from the user.
    func seesAllExams(_ user: RealtimeUser) -> Bool {
        user.role == .admin || user.role == .service
    }

    /// - Throws: `RedisError` when that cannot be told now.
    func sight(of id: ExamID, _ user: RealtimeUser) async throws -> Sight {
        guard let exam = try await access.store.exam(id), ExamAccess.hasToDo(user.claims, with: exam) else {
            return .nothing
        }
        guard user.role == .marker else { return .everything }
        return .questions(Set(exam.grants?.questions(of: user.id) ?? []))
    }

    private static func forbidden(_ request: ClientMessage.Subscribe, _ message: String) -> ClientMessage.Fault {
        ClientMessage.Fault(id: request.id, code: "forbidden", message: message)
    }
}
