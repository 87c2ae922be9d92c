internal import Domain

/// How a replica in a process of its own is started: its only argument, as JSON.
package struct ReplicaOptions: Codable, Sendable {
    package enum Role: Codable, Sendable {
        /// Of the event bus.
        case subscriber(group: String)
        case taskWorker(TaskWorkerOptions)
        case taskProducer(TaskProducerOptions)
    }

    package var redis: String
    package var name: String
    package var role: Role
    package var timing: ChaosTiming
    /// What the replica writes when it has started: its wall clock, in milliseconds since 1970.
    package var reportFile: String

    package init(redis: String, name: String, role: Role, timing: ChaosTiming, reportFile: String) {
        self.redis = redis
        self.name = name
        self.role = role
        self.timing = timing
        self.reportFile = reportFile
    }

    package init(json: String) throws {
        self = try JSON.decode(Self.self, from: Array(json.utf8))
    }

    package var json: String {
        get throws { String(decoding: try JSON.encode(self), as: UTF8.self) }
    }
}
