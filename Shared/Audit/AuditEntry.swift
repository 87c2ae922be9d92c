package import Domain
internal import EventBus

/// Who did what, to what, from where. Holds no secrets and nothing about students: who writes one sees to that.
package struct AuditEntry: Sendable, Equatable {
    package var action: AuditAction
    /// A user of the system, or `os:` and a user of the machine for the command line; nil when it is not known who.
    package var actor: String?
    /// The other end of the connection, or the machine of a command.
    package var address: String?
    /// The process it was done through: `/zhiyue/gateway`.
    package var source: String
    /// What it was done to: `exam/…`, `sheet/…`, `user/…`.
    package var subject: String
    package var examID: ExamID?
    package var correlationID: CorrelationID?
    /// What else matters about it, such as the exam's new version.
    package var details: [String: String]

    package init(
        _ action: AuditAction, actor: String?, address: String? = nil, source: String, subject: String,
        examID: ExamID? = nil, correlationID: CorrelationID? = nil, details: [String: String] = [:]
    ) {
        self.action = action
        self.actor = actor
        self.address = address
        self.source = source
        self.subject = subject
        self.examID = examID
        self.correlationID = correlationID
        self.details = details
    }

    /// Something done about an exam in the context of a request.
    package init(
        _ action: AuditAction, subject: String, examID: ExamID?, context: EventContext, details: [String: String] = [:]
    ) {
        self.init(
            action, actor: context.actor?.rawValue, address: context.address, source: context.source, subject: subject,
            examID: examID, correlationID: context.correlationID, details: details)
    }
}

/// An entry where it is kept.
package struct AuditRecord: Sendable, Equatable {
    package var id: AuditCursor
    package var entry: AuditEntry

    package init(id: AuditCursor, entry: AuditEntry) {
        self.id = id
        self.entry = entry
    }

    /// By the clock of the server.
    package var time: Timestamp { Timestamp(milliseconds: Int64(clamping: id.position.milliseconds)) }
}

/// Absent values are written as null, so that every line of an export has the same members.
extension AuditRecord: Encodable {
    enum CodingKeys: String, CodingKey {
        case id, time, action, actor, address, source, subject
        case examID = "exam_id"
        case correlationID = "correlation_id"
        case details
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id.description, forKey: .id)
        try container.encode(time, forKey: .time)
        try container.encode(entry.action, forKey: .action)
        try container.encode(entry.actor, forKey: .actor)
        try container.encode(entry.address, forKey: .address)
        try container.encode(entry.source, forKey: .source)
        try container.encode(entry.subject, forKey: .subject)
        try container.encode(entry.examID, forKey: .examID)
        try container.encode(entry.correlationID, forKey: .correlationID)
        try container.encode(entry.details, forKey: .details)
    }
}
