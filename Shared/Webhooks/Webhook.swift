package import Domain

/// An address somebody wants events sent to, and which.
package struct Webhook: Codable, Equatable, Sendable {
    /// Webhooks of one owner.
    package static let maxPerOwner = 50
    /// Webhooks of the system: all that are enabled are in the memory of every notifier.
    package static let maxInAll = 5000
    package static let maxExams = 100
    /// In characters.
    package static let maxDescription = 200

    /// 1 to 64 ASCII letters, digits, `_` or `-`.
    package let id: String
    /// As `WebhookAddress` gives it.
    package var url: String
    /// In order, each once; at least one.
    package var eventTypes: [EventType]
    /// Empty for all that the owner may see.
    package var examIDs: [ExamID]
    package var description: String?
    package let owner: UserID
    /// The owner's, as it last came: what counts for one that is no user of this system's own.
    package var ownerRole: Role
    package var secret: WebhookSecret
    /// Signs together with `secret` for a while after that has taken its place.
    package var formerSecret: WebhookSecret?
    package var formerSecretUntil: Timestamp?
    package let createdAt: Timestamp
    package var updatedAt: Timestamp
    package var disabled: Disabling?

    package struct Disabling: Codable, Equatable, Sendable {
        package var since: Timestamp
        /// For people.
        package var reason: String

        package init(since: Timestamp, reason: String) {
            self.since = since
            self.reason = reason
        }
    }

    package init(
        id: String, url: String, eventTypes: [EventType], examIDs: [ExamID], description: String?, owner: UserID,
        ownerRole: Role, secret: WebhookSecret, createdAt: Timestamp
    ) {
        self.id = id
        self.url = url
        self.eventTypes = eventTypes
        self.examIDs = examIDs
        self.description = description
        self.owner = owner
        self.ownerRole = ownerRole
        self.secret = secret
        self.createdAt = createdAt
        updatedAt = createdAt
    }

    enum CodingKeys: String, CodingKey {
        case id, url, description, owner, secret, disabled
        case eventTypes = "event_types"
        case examIDs = "exam_ids"
        case ownerRole = "owner_role"
        case formerSecret = "former_secret"
        case formerSecretUntil = "former_secret_until"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    /// What deliveries are signed with at `time`.
    package func secrets(at time: Timestamp) -> [WebhookSecret] {
        guard let formerSecret, let formerSecretUntil, time < formerSecretUntil else { return [secret] }
        return [secret, formerSecret]
    }

    /// Whether it asks for events of `type` and, of an exam, of that. What the owner may see is another question.
    package func wants(_ type: EventType, of exam: ExamID?) -> Bool {
        guard disabled == nil, eventTypes.contains(type) else { return false }
        return examIDs.isEmpty || exam.map(examIDs.contains) ?? false
    }

    /// Whether the owner may see events of `exam` in `role`: administrators all, teachers those of exams that are theirs
    /// or shared with them, others none.
    ///
    /// - Parameter exam: nil for an event of none.
    package func mayReceive(role: Role, exam: Exam?) -> Bool {
        switch role {
        case .admin: true
        case .teacher: exam.map { $0.owner == owner || $0.grants?.access(of: owner) != nil } ?? false
        case .marker, .student, .service: false
        }
    }

    /// 1 to 64 ASCII letters, digits, `_` or `-`.
    package static func isID(_ text: String) -> Bool { ExamID(text).isValid }
}
