internal import Domain
internal import EventBus
internal import TaskQueue

/// What an embedding program does about events of a type, or tasks of a type.
///
/// A handler that throws is called again, with growing pauses, and after the last try the event becomes a dead letter,
/// the task a failed one.
public struct SystemHandler: Sendable {
    enum Kind: Sendable {
        case event(any EventHandler)
        case task(any TaskHandler)
    }

    let kind: Kind

    /// Handles events of a type, those of an exam one after the other in their order.
    ///
    /// - Parameter name: Tells several handlers of a type apart; the same in every release of the program.
    public static func event<Event: SystemEvent>(
        _ type: Event.Type, name: String? = nil,
        _ body: @escaping @Sendable (Event, EventDelivery) async throws -> Void
    ) -> SystemHandler {
        event(type: Event.eventType, name: name) { delivery in
            let event: Event
            do {
                event = try JSON.decode(Event.self, from: delivery.data)
            } catch {
                throw EventRejection("the data is not that of \(Event.eventType): \(error)")
            }
            try await body(event, delivery)
        }
    }

    /// Handles events by the name of their type, such as the system's own `exam.created` and `grading.completed`.
    public static func event(
        type: String, name: String? = nil, _ body: @escaping @Sendable (EventDelivery) async throws -> Void
    ) -> SystemHandler {
        SystemHandler(kind: .event(EmbeddedEventHandler(name: name ?? type, eventTypes: [EventType(type)], body: body)))
    }

    /// Does tasks of a type. What `body` returns is kept as the task's result for a day.
    public static func task<Work: SystemTask, Result: Codable & Sendable>(
        _ type: Work.Type, _ body: @escaping @Sendable (Work, TaskRun) async throws -> Result
    ) -> SystemHandler {
        SystemHandler(
            kind: .task(
                EmbeddedTaskHandler<Work> { work, run in try TaskResult(try await body(work, run)) }))
    }
}

private struct EmbeddedEventHandler: EventHandler {
    let name: String
    let eventTypes: Set<EventType>
    let body: @Sendable (EventDelivery) async throws -> Void

    func handle(_ stored: StoredEvent, context: HandlingContext) async throws {
        let event = stored.event
        try await body(
            EventDelivery(
                id: event.id, type: event.type.rawValue, examID: event.examID?.rawValue, subject: event.subject,
                correlationID: event.correlationID.rawValue, position: stored.position.description,
                attempt: context.attempt, data: event.data))
    }
}

private struct EmbeddedTaskHandler<Work: SystemTask>: TaskHandler {
    let body: @Sendable (Work, TaskRun) async throws -> TaskResult

    func run(_ payload: EmbeddedTask<Work>, context: TaskContext) async throws -> TaskResult {
        let run = TaskRun(
            taskID: context.taskID.rawValue, examID: context.examID?.rawValue, attempt: context.attempt,
            correlationID: context.correlationID.rawValue, report: { await context.progress($0, $1) })
        return try await body(payload.work, run)
    }
}

/// The payload is the work itself.
struct EmbeddedTask<Work: SystemTask>: TaskPayload {
    let work: Work

    static var type: TaskType { TaskType(Work.taskType) }
    static var defaultPriority: TaskPriority { .normal }
    var taskID: TaskID { TaskID(work.taskID) }

    init(_ work: Work) {
        self.work = work
    }

    init(from decoder: any Decoder) throws {
        work = try Work(from: decoder)
    }

    func encode(to encoder: any Encoder) throws {
        try work.encode(to: encoder)
    }
}
