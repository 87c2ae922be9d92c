import Domain

extension ConnectionType {
    static let general = ConnectionType(
        name: "general", purpose: "Exams and reports that come, change and go, and one's own messages.",
        eventTypes: [
            ExamCreated.type, ExamUpdated.type, ExamDeleted.type, ReportReady.type, ReportFailed.type,
            BatchCompleted.type, BatchFailed.type, NotificationCreated.type,
        ],
        roles: [.admin, .teacher, .service],
        parts: [.marker: [NotificationCreated.type], .student: [NotificationCreated.type]])
}
