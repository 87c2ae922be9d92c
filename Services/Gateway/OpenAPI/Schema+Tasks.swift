import Domain
import TaskQueue

extension Schema {
    static let taskType = choice(TaskCatalog.all.map { $0.type.rawValue })
    private static let priority = choice(of: TaskPriority.self)

    static let taskRequest = object(
        "TaskRequest",
        [
            "type": taskType,
            "id?": string(1...200).with("Follows from the payload when absent: the same work is done once.").orNull,
            "priority?": priority.orNull, "payload": map(of: any), "exam_id?": examID.orNull,
            "delay_seconds?": number(0...2_592_000).orNull,
            "due_at?": time.with("Instead of a delay; within 30 days.").orNull, "unique_key?": string.orNull,
            "timeout_seconds?": number(0.001...86_400).with("Of one run.").orNull,
            "max_attempts?": integer(1...100).orNull,
            "retry_delays_seconds?": array(of: number(0.001...86_400), count: 1...20).orNull,
        ])

    static let taskSubmission = object(
        "TaskSubmission",
        ["id": string, "type": taskType, "created": boolean.with("False: a task of that id was there already.")])

    static let taskOrder = either(
        taskRequest, object("TaskRequests", ["tasks": array(of: taskRequest, count: 1...1000)]))

    static let taskSubmissions = either(
        taskSubmission, object("TaskSubmissions", ["items": array(of: taskSubmission).with("In the order asked for.")]))

    private static let attempt = object(
        "TaskAttempt",
        ["attempt": integer, "worker": string, "started_at": time, "ended_at": time, "error": string])

    static let task = object(
        "Task",
        [
            "id": string, "type": string, "state": choice(of: TaskState.self), "priority": priority,
            "attempt": integer, "max_attempts": integer, "stalls": integer, "created_at": time, "due_at?": time,
            "started_at?": time, "finished_at?": time, "worker?": string, "progress?": number(0...1),
            "message?": string, "payload?": any, "result?": any, "error?": string, "history": array(of: attempt),
            "cancel_requested": boolean,
            "children?": object(
                "TaskChildren", ["total": integer, "open": integer, "failed": integer, "cancelled": integer]),
            "correlation_id": string, "exam_id?": examID,
        ])

    // MARK: Queues

    private static let places = integer(from: 1).orNull.with("null or absent: as many as there are places.")
    static let queueLimits = object("QueueLimits", ["running?": places, "running_per_exam?": places])

    static let queueStatistics = object(
        "QueueStatistics",
        [
            "type": string, "priority": priority, "ready": integer, "scheduled": integer, "running": integer,
            "waiting": integer.with("For their children."), "dead": integer, "oldest_seconds": number,
            "paused": boolean,
        ])

    private static let counts = object(
        "QueueCounts",
        [
            "submitted": integer, "completed": integer, "failed": integer, "cancelled": integer, "retried": integer,
            "stalled": integer,
        ])
    private static let histograms = map(
        of: object("QueueTimes", ["buckets": array(of: integer), "sum": number.with("Seconds.")]))

    private static let metrics = object(
        "QueueMetrics",
        [
            "type": string, "total": counts, "last_minute": counts, "last_ten_minutes": counts, "waiting": histograms,
            "running": histograms,
            "workers": array(
                of: object(
                    "WorkerReport",
                    [
                        "name": string, "places": integer, "running": integer, "completed": integer,
                        "failed": integer, "busy_seconds": number, "since": time,
                    ])),
        ])

    static let queue = object(
        "Queue",
        ["type": string, "priorities": array(of: queueStatistics), "limits": queueLimits, "metrics": metrics])

    static let scheduleRequest = object(
        "ScheduleRequest",
        [
            "cron": string(1...256).with("As crontab(5) has it, or @hourly, @daily, @weekly, @monthly, @yearly."),
            "zone?": string.with("Asia/Shanghai; UTC when absent.").orNull, "payload": map(of: any),
            "priority?": priority.orNull, "exam_id?": examID.orNull,
        ])

    static let placedSchedule = object(
        "Schedule",
        [
            "schedule": object([
                "name": string, "type": string, "cron": string, "zone": string, "payload": any, "priority": priority,
                "exam_id?": examID,
            ]), "next?": time.with("When its next task is due."),
        ])
}

extension Operation.Parameter {
    static let taskType = query("type", .taskType, "Of this type; of any when absent.")
}
