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

/// Who may hear of what: the one place that decides it, when a client subscribes, each time it comes back, and when an
/// exam changes.
struct SubscriptionPolicy: Sendable {
    let access: ExamAccess

    /// - Throws: `ClientMessage.Fault` when the user may not have the subscription; `RedisError` when that cannot be
    ///   told now.
    func check(_ request: ClientMessage.Subscribe, for user: RealtimeUser) async throws {
        let type = ConnectionTypeCatalog.all[request.kind]
        guard type.roles.contains(user.role) else {
            throw ClientMessage.Fault(
                id: request.id, code: "forbidden",
                message: "The role \(user.role.rawValue) may not have the connection type \(type.name).")
        }
        guard !seesAllExams(user) else { return }
        guard let exams = request.exams else {
            throw ClientMessage.Fault(
                id: request.id, code: "forbidden",
                message: "The role \(user.role.rawValue) hears of exams of its own: name them as exam_ids.")
        }
        for exam in exams {
            guard try await maySee(exam, user) else {
                throw ClientMessage.Fault(
                    id: request.id, code: "forbidden",
                    message: "There is no exam \(exam), or it is another teacher's.")
            }
        }
    }

    /// Whether a change of an exam can never take its events from the user.
    func seesAllExams(_ user: RealtimeUser) -> Bool {
        user.role == .admin || user.role == .service
    }

    /// - Throws: `RedisError` when that cannot be told now.
    func maySee(_ exam: ExamID, _ user: RealtimeUser) async throws -> Bool {
        do {
            _ = try await access.exam(exam, for: user.claims)
            return true
        } catch is Problem {
            return false
        }
    }
}
