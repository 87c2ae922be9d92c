import Domain

extension ConnectionType {
    static let quality = ConnectionType(
        name: "quality", purpose: "How an exam turns out and how well it is marked.",
        eventTypes: [QualityUpdated.type, ReviewRequested.type, GradingReviewed.type],
        roles: [.admin, .teacher, .service])
}
