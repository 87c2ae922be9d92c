import Domain
import ExamStore

/// A review as clients see it. Of the sheet it tells nothing but the field it is about.
struct ReviewDocument: Encodable {
    let record: ReviewRecord
    /// Who asks: only the holder of a lease is told its fence.
    let user: UserID
    /// nil in lists.
    var sheet: Sheet?

    enum CodingKeys: String, CodingKey {
        case id
        case examID = "exam_id"
        case sheetID = "sheet_id"
        case kind, question, status, reasons
        case requestedAt = "requested_at"
        case assignee, lease, history, reading, mark
    }

    private struct Lease: Encodable {
        let user: UserID
        let expiresAt: Timestamp
        let fence: Int?

        enum CodingKeys: String, CodingKey {
            case user
            case expiresAt = "expires_at"
            case fence
        }
    }

    private struct Change: Encodable {
        let change: Review.Change

        enum CodingKeys: String, CodingKey {
            case by, at, score, value, comment, discarded
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(change.by, forKey: .by)
            try container.encode(change.at, forKey: .at)
            try container.encode(change.score, forKey: .score)
            try container.encode(change.value, forKey: .value)
            try container.encode(change.comment, forKey: .comment)
            try container.encode(change.discarded ?? false, forKey: .discarded)
        }
    }

    func encode(to encoder: any Encoder) throws {
        let review = record.review
        guard let parts = review.id.parts else { return }
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(review.id, forKey: .id)
        try container.encode(parts.exam, forKey: .examID)
        try container.encode(parts.sheet, forKey: .sheetID)
        try container.encode(parts.target.kind, forKey: .kind)
        try container.encode(parts.target.question, forKey: .question)
        try container.encode(record.status, forKey: .status)
        try container.encode(review.reasons, forKey: .reasons)
        try container.encode(review.requestedAt, forKey: .requestedAt)
        try container.encode(review.assignee, forKey: .assignee)
        let lease = record.isLeased ? record.lease : nil
        try container.encode(
            lease.map { Lease(user: $0.user, expiresAt: $0.expiresAt, fence: $0.user == user ? $0.fence : nil) },
            forKey: .lease)
        try container.encode(review.history.map(Change.init), forKey: .history)
        guard let sheet else { return }
        try container.encode(sheet.fields[parts.target.name], forKey: .reading)
        let mark = parts.target.question.flatMap { question in sheet.marks.first { $0.question == question } }
        try container.encode(mark.map(MarkDocument.init), forKey: .mark)
    }
}
