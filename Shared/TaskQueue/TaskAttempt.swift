package import Domain

/// How one run of a task ended that did not succeed.
package struct TaskAttempt: Codable, Sendable, Equatable {
    /// 1 for the first; the same again when a run lost its worker, since that is no attempt.
    package var attempt: Int
    package var worker: String
    package var startedAt: Timestamp
    package var endedAt: Timestamp
    package var error: String

    enum CodingKeys: String, CodingKey {
        case attempt, worker, error
        case startedAt = "started_at"
        case endedAt = "ended_at"
    }

    /// As the scripts write it: JSON with times in milliseconds.
    private struct Line: Decodable {
        let attempt: Int
        let worker: String
        let startedAt: Int64
        let endedAt: Int64
        let error: String

        enum CodingKeys: String, CodingKey {
            case attempt, worker, error
            case startedAt = "started_at"
            case endedAt = "ended_at"
        }
    }

    /// - Returns: nil when the line is not one of the scripts'.
    init?(line: Substring) {
        guard let line = try? JSON.decode(Line.self, from: Array(line.utf8)) else { return nil }
        attempt = line.attempt
        worker = line.worker
        startedAt = Timestamp(milliseconds: line.startedAt)
        endedAt = Timestamp(milliseconds: line.endedAt)
        error = line.error
    }
}
