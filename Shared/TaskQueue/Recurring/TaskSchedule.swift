package import Domain

/// Work that recurs.
package struct TaskSchedule: Codable, Sendable, Equatable {
    /// 1 to 100 letters, digits, `_`, `-`, `.` or `:`; unique among those of a type.
    package var name: String
    package var type: TaskType
    package var cron: CronExpression
    /// `Asia/Shanghai`, `UTC`.
    package var zone: String
    package var payload: JSONValue
    package var priority: TaskPriority
    package var examID: ExamID?

    enum CodingKeys: String, CodingKey {
        case name, type, cron, zone, payload, priority
        case examID = "exam_id"
    }

    package init(
        name: String, type: TaskType, cron: CronExpression, zone: String, payload: JSONValue,
        priority: TaskPriority = .normal, examID: ExamID? = nil
    ) {
        self.name = name
        self.type = type
        self.cron = cron
        self.zone = zone
        self.payload = payload
        self.priority = priority
        self.examID = examID
    }

    /// - Returns: the first time after `time`; nil when there is none any more.
    /// - Throws: `TaskQueueError` of code `.invalid` for a zone this machine does not know.
    func next(after time: Timestamp) throws(TaskQueueError) -> Timestamp? {
        cron.next(after: time, in: zone == "UTC" ? .utc : try TimeZoneRules(named: zone))
    }

    func validate() throws(TaskQueueError) {
        guard name.utf8.count <= 100, TaskID(name).isValid else {
            throw TaskQueueError(.invalid, "a schedule's name is 1 to 100 letters, digits, _, -, . or :")
        }
        guard try next(after: .now) != nil else {
            throw TaskQueueError(.invalid, "\(cron.text) is never")
        }
    }

    /// The task of one time. Its id follows from that, so that it is submitted once however many submit it.
    func draft(at time: Timestamp) throws -> TaskDraft {
        var draft = try TaskDraft(
            type: type, id: Self.taskID(name, at: time.milliseconds), json: try JSON.encode(payload),
            priority: priority, examID: examID,
            context: EventContext(source: "/zhiyue/schedule", correlationID: .make()))
        draft.dueAt = time
        return draft
    }

    static func taskID(_ name: String, at milliseconds: Int64) -> TaskID { TaskID("\(name):\(milliseconds)") }
}
