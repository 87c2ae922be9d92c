/// The name of a kind of task and of its queue, `ocr_processing`.
package struct TaskType: StringIdentifier {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// 1 to 64 ASCII letters, digits, `_` or `-`.
    package var isValid: Bool {
        (1...64).contains(rawValue.utf8.count) && rawValue.utf8.allSatisfy(\.isIdentifierByte)
    }
}

/// How urgent a task is. Each has its own list; none starves.
package enum TaskPriority: String, Codable, Sendable, CaseIterable {
    case high, normal, low
}

/// The data of one kind of task. A new task is one file in this folder and one line in `TaskCatalog`.
package protocol TaskPayload: Codable, Sendable {
    static var type: TaskType { get }
    static var defaultPriority: TaskPriority { get }
    /// The same for every submission of the same work, so that work submitted twice is done once.
    var taskID: TaskID { get }
}

/// Every kind of task this program knows.
package enum TaskCatalog {
    package static let all: [any TaskPayload.Type] = [
        OCRTask.self, GradingTask.self, BatchTask.self, ReportTask.self, WebhookTask.self,
    ]
}
