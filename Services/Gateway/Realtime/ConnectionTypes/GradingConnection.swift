import Domain

extension ConnectionType {
    static let grading = ConnectionType(
        name: "grading", purpose: "Marks as they are given and changed, and what waits for people.",
        eventTypes: [
            GradingStarted.type, GradingCompleted.type, GradingFailed.type, GradingReviewed.type, ReviewRequested.type,
        ],
        roles: [.admin, .teacher, .service], parts: [.marker: MarkerView.eventTypes])
}
