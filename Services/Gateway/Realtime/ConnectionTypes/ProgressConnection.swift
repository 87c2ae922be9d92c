import Domain

extension ConnectionType {
    static let progress = ConnectionType(
        name: "progress", purpose: "How far the scans of an exam are: read, marked, or failed.",
        eventTypes: [
            SheetUploaded.type, OCRStarted.type, OCRCompleted.type, OCRFailed.type, GradingStarted.type,
            GradingCompleted.type, GradingFailed.type, BatchStarted.type, BatchProgress.type, BatchCompleted.type,
            BatchFailed.type,
        ],
        roles: [.admin, .teacher, .service])
}
