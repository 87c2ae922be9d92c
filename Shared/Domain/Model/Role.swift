/// What a signed-in user may do.
package enum Role: String, Codable, Sendable, CaseIterable {
    /// Everything.
    case admin
    /// Own exams.
    case teacher
    /// Assigned questions.
    case marker
    /// Own published results.
    case student
    /// Another program on behalf of the operator.
    case service
}

/// A message in a user's inbox.
package struct InboxMessage: Codable, Equatable, Sendable {
    package enum Kind: String, Codable, Sendable {
        case sheetFailed = "sheet_failed"
        case reviewRequested = "review_requested"
        case batchCompleted = "batch_completed"
        case batchFailed = "batch_failed"
        case reportReady = "report_ready"
        case reportFailed = "report_failed"
        case webhookDisabled = "webhook_disabled"
    }

    /// The identifier of the event that caused it, so the same event never makes two.
    package var id: String
    package var kind: Kind
    package var examID: ExamID?
    package var subject: String
    package var detail: String
    package var time: Timestamp

    package init(id: String, kind: Kind, examID: ExamID?, subject: String, detail: String, time: Timestamp) {
        self.id = id
        self.kind = kind
        self.examID = examID
        self.subject = subject
        self.detail = detail
        self.time = time
    }

    enum CodingKeys: String, CodingKey {
        case id, kind
        case examID = "exam_id"
        case subject, detail, time
    }
}
