import Domain

extension ConnectionType {
    static let system = ConnectionType(
        name: "system", purpose: "How the system does, for those who run it.",
        eventTypes: [SystemHealthCheck.type, BatchFailed.type, ReportFailed.type, OCRFailed.type, GradingFailed.type],
        roles: [.admin, .service])
}
