import Domain
import Webhooks

/// A webhook as its owner sees it: without the secrets, but for the one answer that gives one away.
struct WebhookDocument: Encodable {
    let webhook: Webhook
    let state: WebhookState
    var showsSecret = false

    enum CodingKeys: String, CodingKey {
        case id, url, owner, description, enabled, deliveries, secret
        case eventTypes = "event_types"
        case examIDs = "exam_ids"
        case disabledSince = "disabled_since"
        case disabledReason = "disabled_reason"
        case formerSecretUntil = "former_secret_until"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(webhook.id, forKey: .id)
        try container.encode(webhook.url, forKey: .url)
        try container.encode(webhook.owner, forKey: .owner)
        try container.encode(webhook.description, forKey: .description)
        try container.encode(webhook.eventTypes, forKey: .eventTypes)
        try container.encode(webhook.examIDs, forKey: .examIDs)
        try container.encode(webhook.disabled == nil, forKey: .enabled)
        try container.encode(webhook.disabled?.since, forKey: .disabledSince)
        try container.encode(webhook.disabled?.reason, forKey: .disabledReason)
        try container.encode(Deliveries(state), forKey: .deliveries)
        try container.encode(webhook.createdAt, forKey: .createdAt)
        try container.encode(webhook.updatedAt, forKey: .updatedAt)
        let isSharedUntil = webhook.formerSecretUntil.flatMap { $0 > .now ? $0 : nil }
        try container.encode(isSharedUntil, forKey: .formerSecretUntil)
        if showsSecret { try container.encode(webhook.secret, forKey: .secret) }
    }

    private struct Deliveries: Encodable {
        let state: WebhookState

        init(_ state: WebhookState) {
            self.state = state
        }

        enum CodingKeys: String, CodingKey {
            case lastSuccessAt = "last_success_at"
            case lastFailureAt = "last_failure_at"
            case lastFailureStatus = "last_failure_status"
            case lastFailureReason = "last_failure_reason"
            case consecutiveFailures = "consecutive_failures"
            case failingSince = "failing_since"
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(state.lastSuccess, forKey: .lastSuccessAt)
            try container.encode(state.lastFailure?.time, forKey: .lastFailureAt)
            try container.encode(state.lastFailure?.status, forKey: .lastFailureStatus)
            try container.encode(state.lastFailure?.reason, forKey: .lastFailureReason)
            try container.encode(state.consecutiveFailures, forKey: .consecutiveFailures)
            try container.encode(state.failingSince, forKey: .failingSince)
        }
    }
}

/// What the receiver said to a test.
struct WebhookTestDocument: Encodable {
    let delivered: Bool
    let status: Int?
    let reason: String?
    let milliseconds: Int
    let eventID: String

    init(_ answer: WebhookAnswer, eventID: String) {
        delivered = answer.isAccepted
        status = answer.status
        reason = answer.reason
        milliseconds = answer.milliseconds
        self.eventID = eventID
    }

    enum CodingKeys: String, CodingKey {
        case delivered, status, reason, milliseconds
        case eventID = "event_id"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(delivered, forKey: .delivered)
        try container.encode(status, forKey: .status)
        try container.encode(reason, forKey: .reason)
        try container.encode(milliseconds, forKey: .milliseconds)
        try container.encode(eventID, forKey: .eventID)
    }
}

/// A new webhook, or, of one that is there, what is to be changed: what is absent stays.
struct WebhookRequest: Decodable {
    var url: String?
    var eventTypes: [String]?
    var examIDs: [ExamID]?
    var description: String?
    var isEnabled: Bool?

    enum CodingKeys: String, CodingKey {
        case url, description
        case eventTypes = "event_types"
        case examIDs = "exam_ids"
        case isEnabled = "enabled"
    }

    /// The address in its one form; nil when it is absent.
    ///
    /// - Parameter isNew: true when address and types must be there.
    /// - Throws: `Problem` with 422 and all that is wrong.
    func check(isNew: Bool, configuration: WebhookConfiguration) throws -> String? {
        var fault: String?
        var address: WebhookAddress?
        do {
            address = try url.map { text throws(WebhookAddressError) in
                try WebhookAddress(text, configuration: configuration)
            }
        } catch {
            fault = error.description
        }
        let known = Set(EventCatalog.all.map { $0.type.rawValue })
        try Problem.check([
            ("/url", fault == nil, fault ?? ""),
            ("/url", url != nil || !isNew, "is required"),
            ("/event_types", eventTypes != nil || !isNew, "is required"),
            ("/event_types", eventTypes?.isEmpty != true, "must name a type of events"),
            (
                "/event_types", eventTypes?.allSatisfy(known.contains) ?? true,
                "must be names of events such as grading.completed"
            ),
            (
                "/exam_ids", (examIDs?.count ?? 0) <= Webhook.maxExams && examIDs?.allSatisfy(\.isValid) ?? true,
                "must be at most \(Webhook.maxExams) identifiers of exams"
            ),
            (
                "/description", (description?.count ?? 0) <= Webhook.maxDescription,
                "must be at most \(Webhook.maxDescription) characters"
            ),
        ])
        return address?.url
    }

    var types: [EventType]? { eventTypes.map { Set($0).sorted().map { EventType($0) } } }
    var exams: [ExamID]? { examIDs.map { ids in Set(ids).sorted { $0.rawValue < $1.rawValue } } }
}
