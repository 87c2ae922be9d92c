import Domain
import TaskQueue
import Webhooks

extension Schema {
    private static let eventTypes = array(of: choice(EventCatalog.all.map { $0.type.rawValue }), count: 1...100)
    private static let exams = array(of: examID, count: 0...Webhook.maxExams).with(
        "Events of these exams only; empty for all that the owner may see.")
    private static let webhookURL = string(1...WebhookAddress.maxBytes, pattern: "^[hH][tT][tT][pP][sS]?://").with(
        "https, unless the operator allows http.")
    private static let text = string(0...Webhook.maxDescription)

    static let webhookDraft = object(
        "WebhookDraft",
        [
            "url": webhookURL, "event_types": eventTypes, "exam_ids?": exams.orNull, "description?": text.orNull,
            "enabled?": boolean.orNull,
        ])

    static let webhookPatch = object(
        "WebhookPatch",
        [
            "url?": webhookURL.orNull, "event_types?": eventTypes.orNull, "exam_ids?": exams.orNull,
            "description?": text.with("Empty removes it.").orNull, "enabled?": boolean.orNull,
        ])

    private static let webhookDeliveries = object(
        "WebhookDeliveries",
        [
            "last_success_at": time.orNull, "last_failure_at": time.orNull, "last_failure_status": integer.orNull,
            "last_failure_reason": string.orNull,
            "consecutive_failures": integer.with("Attempts in a row, up to now."), "failing_since": time.orNull,
        ])

    static let webhook = object(
        "Webhook",
        [
            "id": string, "url": string, "owner": userID, "description": string.orNull,
            "event_types": array(of: string),
            "exam_ids": array(of: examID), "enabled": boolean, "disabled_since": time.orNull,
            "disabled_reason": string.orNull, "former_secret_until": time.orNull, "deliveries": webhookDeliveries,
            "created_at": time, "updated_at": time,
        ])

    static let webhookWithSecret = object(
        "WebhookWithSecret",
        [
            "id": string, "url": string, "owner": userID, "description": string.orNull,
            "event_types": array(of: string),
            "exam_ids": array(of: examID), "enabled": boolean, "disabled_since": time.orNull,
            "disabled_reason": string.orNull, "former_secret_until": time.orNull, "deliveries": webhookDeliveries,
            "created_at": time, "updated_at": time, "secret": string(pattern: "^whsec_"),
        ])

    static let webhookTest = object(
        "WebhookTest",
        [
            "delivered": boolean, "status": integer.orNull.with("null without an answer."), "reason": string.orNull,
            "milliseconds": integer, "event_id": string,
        ])
}
