/// The keys of log metadata, so that the same thing has the same name in every line.
package enum LogKey {
    package static let examID = "exam_id"
    package static let sheetID = "sheet_id"
    package static let taskID = "task_id"
    package static let correlationID = "correlation_id"
    package static let eventType = "event_type"
    package static let error = "error"
    package static let code = "code"
    package static let count = "count"
    package static let port = "port"
    package static let webhookID = "webhook_id"
}
