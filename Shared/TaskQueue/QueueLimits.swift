/// How many tasks of a type may run at the same time, all workers together; nil for as many as there are places.
package struct QueueLimits: Codable, Sendable, Equatable {
    /// Of the type.
    package var running: Int?
    /// Of one exam, so that a huge one leaves places to others.
    package var runningPerExam: Int?

    enum CodingKeys: String, CodingKey {
        case running
        case runningPerExam = "running_per_exam"
    }

    package init(running: Int? = nil, runningPerExam: Int? = nil) {
        self.running = running
        self.runningPerExam = runningPerExam
    }

    /// As an entry of the audit log tells them.
    package var details: [String: String] {
        ["running": running, "running_per_exam": runningPerExam].mapValues { $0.map(String.init) ?? "unlimited" }
    }
}
