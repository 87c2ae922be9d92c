internal import Coordination
internal import Domain
internal import EventBus
internal import ServiceKit

/// Publishes every 30 s which services live: `system.health_check`. Done by the leader; should two believe to be it, the
/// stream still gets one event per interval.
struct HealthChecks {
    let context: ServiceContext

    private static let interval: Duration = .seconds(30)
    /// The services a whole system has.
    private static let services = [
        "gateway", "event-router", "ocr-worker", "grading-worker", "batch-worker", "notifier", "analytics",
    ]

    /// Until it is cancelled.
    func run(under fence: Fence) async throws {
        try await PeriodicWork("publish a health check", every: Self.interval, logger: context.logger) {
            let live = try await context.registry.list().filter { $0.state == .ready }
            let counts = Dictionary(grouping: live, by: \.name).mapValues(\.count)
            let check = SystemHealthCheck(
                healthy: Self.services.allSatisfy { counts[$0] != nil }, services: counts)
            let event = try EventEnvelope(
                check, examID: nil, context: EventContext(source: context.source, correlationID: .make()))
            // A little less than the pause, which never ends early but may be counted from a late answer.
            try await context.bus.publish(event, under: fence, atMostEvery: Self.interval * 0.9)
        }.run()
    }
}
