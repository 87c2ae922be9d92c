package import Domain
internal import Redis

/// Where a review stands, as lists tell it.
package enum ReviewStatus: String, Codable, Sendable, CaseIterable {
    /// It waits for somebody to take it.
    case open
    /// Somebody has it.
    case leased
    case settled
}

extension ReviewRecord {
    package var status: ReviewStatus { review.isSettled ? .settled : isLeased ? .leased : .open }
}

extension ExamStore {
    /// Reviews of an exam in order of their first arrival.
    ///
    /// - Parameters:
    ///   - targets: which; nil for all.
    ///   - limit: 1 to 200. With `.open` or `.leased` a page may hold fewer before the end of the list: those that wait are
    ///     looked through for either.
    /// - Throws: `ExamStoreError` with `.invalidCursor`.
    package func reviews(
        exam: ExamID, targets: Set<ReviewTarget>?, status: ReviewStatus?, cursor: String?, limit: Int
    ) async throws -> Page<ReviewRecord> {
        let place = place(of: exam)
        let limit = min(max(limit, 1), 200)
        let start =
            try cursor.map { text in
                guard let sequence = Int64(text) else { throw ExamStoreError.invalidCursor }
                return "(\(sequence)"
            } ?? "-inf"
        let counters = ReviewCounters(try await client.send(["HGETALL", place.reviewCounters]))
        let states = status.map { [$0 == .settled] } ?? [false, true]
        let lists = states.flatMap { isSettled in
            counters.targets(isSettled: isSettled)
                .filter { name in targets.map { targets in ReviewTarget(name).map(targets.contains) == true } ?? true }
                .map { place.reviews(of: $0, isSettled: isSettled) }
        }
        let replies = try await client.pipeline(
            lists.map { ["ZRANGE", $0, start, "+inf", "BYSCORE", "LIMIT", 0, limit + 1, "WITHSCORES"] })
        // A review that is settled between the two looks may be found twice.
        var sequences: [String: Int64] = [:]
        for reply in replies {
            for entry in reply.fields ?? [] { sequences[entry.name] = Int64(entry.value.double ?? 0) }
        }
        let found = sequences.sorted { $0.value < $1.value }
        let part = found.prefix(limit)
        let items = try await records(part.map(\.key), at: place).filter { status == nil || $0.status == status }
        return Page(items: items, nextCursor: found.count > limit ? part.last.map { String($0.value) } : nil)
    }

    private func records(_ ids: [String], at place: ExamPlace) async throws -> [ReviewRecord] {
        guard !ids.isEmpty else { return [] }
        let replies = try await client.pipeline([
            RedisCommand("HMGET", arguments: [place.reviews] + ids),
            RedisCommand("HMGET", arguments: [place.reviewLeases] + ids), ["TIME"],
        ])
        let now = Self.time(replies[2])
        return try zip(ids, zip(replies[0].array ?? [], replies[1].array ?? [])).compactMap { id, values in
            guard !values.0.isNull else { return nil }
            return ReviewRecord(
                review: try decode(Review.self, values.0, of: "review \(id)"), lease: ReviewLease(values.1.string),
                now: now)
        }
    }
}
