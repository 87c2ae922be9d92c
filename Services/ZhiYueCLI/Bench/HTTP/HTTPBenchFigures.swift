/// What `HTTPBench` found.
struct HTTPBenchFigures: BenchFigures {
    /// One round of wrk.
    struct Round: Encodable {
        let requestsPerSecond: Double
        /// In milliseconds.
        let p50: Double
        let p99: Double
        /// Answers that were not 2xx, and connections that broke.
        let failed: Int

        enum CodingKeys: String, CodingKey {
            case requestsPerSecond = "requests_per_second"
            case p50, p99, failed
        }
    }

    let connections: Int
    /// Of the exam's JSON.
    let bytes: Int
    let exam: [Round]
    let empty: [Round]

    var examPerSecond: Double { median(exam.map(\.requestsPerSecond)) }
    var emptyPerSecond: Double { median(empty.map(\.requestsPerSecond)) }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(connections, forKey: .connections)
        try container.encode(bytes, forKey: .bytes)
        try container.encode(Int(examPerSecond), forKey: .examPerSecond)
        try container.encode(Int(emptyPerSecond), forKey: .emptyPerSecond)
        try container.encode(rounded(examPerSecond / emptyPerSecond), forKey: .ratio)
        try container.encode(exam, forKey: .exam)
        try container.encode(empty, forKey: .empty)
    }

    enum CodingKeys: String, CodingKey {
        case connections
        case bytes = "bytes_of_the_exam"
        case examPerSecond = "exam_requests_per_second"
        case emptyPerSecond = "empty_requests_per_second"
        case ratio
        case exam = "exam_rounds"
        case empty = "empty_rounds"
    }

    func table() -> String {
        func lines(_ name: String, _ rounds: [Round]) -> [String] {
            rounds.map { round in
                name + String(repeating: " ", count: max(1, 32 - name.count))
                    + "\(Int(round.requestsPerSecond))/s, p50 \(round.p50) ms, p99 \(round.p99) ms, \(round.failed) failed"
            }
        }
        return
            (lines("An empty route", empty) + lines("GET /api/exams/{id}, \(bytes) bytes", exam)
            + ["Ratio of the medians            \(rounded(examPerSecond / emptyPerSecond))"]).joined(separator: "\n")
    }
}
