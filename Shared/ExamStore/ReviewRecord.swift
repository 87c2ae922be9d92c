package import Domain
internal import Redis

/// A review as it stands.
package struct ReviewRecord: Sendable {
    package var review: Review
    /// The latest lease, ended or not; nil when nobody has it.
    package var lease: ReviewLease?
    /// By the clock of Redis, when it was looked up.
    package var now: Timestamp

    /// True while somebody has it.
    package var isLeased: Bool { lease.map { $0.expiresAt > now } ?? false }
}

extension ReviewLease {
    /// As Redis holds it.
    var text: String { "\(fence) \(expiresAt.milliseconds) \(user)" }

    /// - Returns: nil when `text` is none.
    init?(_ text: String?) {
        let parts = text?.split(separator: " ", maxSplits: 2) ?? []
        guard parts.count == 3, let fence = Int(parts[0]), let end = Int64(parts[1]) else { return nil }
        self.init(user: UserID(String(parts[2])), fence: fence, expiresAt: Timestamp(milliseconds: end))
    }
}

/// A review, its lease and its exam, and what the next change must find unchanged.
struct StoredReview {
    var record: ReviewRecord
    var json: String
    var lease: String?
}

extension ExamStore {
    package func review(_ id: ReviewID) async throws -> ReviewRecord? {
        try await stored(id)?.record
    }

    func stored(_ id: ReviewID) async throws -> StoredReview? {
        guard let parts = id.parts else { return nil }
        let place = place(of: parts.exam)
        let replies = try await client.pipeline([
            ["HGET", place.reviews, id.rawValue], ["HGET", place.reviewLeases, id.rawValue], ["TIME"],
        ])
        guard let json = replies[0].string else { return nil }
        let review = try decode(Review.self, replies[0], of: "review \(id)")
        let lease = replies[1].string
        return StoredReview(
            record: ReviewRecord(review: review, lease: ReviewLease(lease), now: Self.time(replies[2])), json: json,
            lease: lease)
    }

    /// The answer to `TIME`.
    static func time(_ reply: RESPValue) -> Timestamp {
        let parts = reply.array ?? []
        guard parts.count == 2, let seconds = parts[0].int, let microseconds = parts[1].int else { return .now }
        return Timestamp(milliseconds: Int64(seconds) * 1000 + Int64(microseconds) / 1000)
    }
}
