/// The names of metadata in this module's log lines.
enum LogKey {
    static let attempt = "attempt"
    static let correlationID = "correlation_id"
    static let count = "count"
    static let error = "error"
    static let taskID = "task_id"
    static let taskType = "task_type"
}
