import Domain
import EventBus
import Logging
import ServiceKit
import ServiceLifecycle

@testable import Gateway

/// A group that gives up on every event at once.
private struct RejectingHandler: EventHandler {
    let name = "rejecting"
    let eventTypes: Set<EventType> = []

    func handle(_ event: StoredEvent, context: HandlingContext) async throws {
        throw EventRejection("not \(event.event.subject)")
    }
}

extension RunningGateway {
    /// Publishes an event for each number about an exam.
    func publish(_ numbers: ClosedRange<Int>, exam: ExamID, correlation: CorrelationID = "chain") async throws {
        for number in numbers {
            try await context.bus.publish(Self.event(number, exam: exam, correlation: correlation))
        }
    }

    static func event(_ number: Int, exam: ExamID, correlation: CorrelationID = "chain") throws -> EventEnvelope {
        try EventEnvelope(
            ExamUpdated(examID: exam, version: number, keyVersion: 1, keyChanged: false), examID: exam,
            context: EventContext(source: "/test", correlationID: correlation))
    }

    /// Has `group` give up on every event there is.
    func giveUp(group: String, letters: Int) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let subscriber = EventSubscriber(
            bus: context.bus, group: group, replica: "r", handlers: [RejectingHandler()], logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await subscriber.run() }
            while try await context.bus.deadLetterIDs(matching: DeadLetterQuery(group: group)).count < letters {
                try await Task.sleep(for: .milliseconds(5))
            }
            tasks.cancelAll()
        }
    }
}
