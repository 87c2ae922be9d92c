/// The services by the names of their executables, which stand beside `zhiyue`.
enum ServiceKind: String, CaseIterable, Sendable {
    case eventRouter = "event-router"
    case ocrWorker = "ocr-worker"
    case gradingWorker = "grading-worker"
    case batchWorker = "batch-worker"
    case notifier
    case analytics
    case gateway
}
