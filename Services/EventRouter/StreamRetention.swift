internal import EventBus
internal import Logging
internal import ServiceKit
internal import ServiceLifecycle

/// Removes old events nobody needs any more, every few minutes. Harmless when several replicas do it.
struct StreamRetention: Service {
    let bus: EventBus
    let logger: Logger

    func run() async throws {
        try await PeriodicWork("remove old events", every: .seconds(300), logger: logger) {
            let report = try await bus.trim()
            if report.removed > 0 {
                logger.info("removed old events", metadata: [LogKey.count: "\(report.removed)"])
            }
            if report.lost > 0 {
                logger.error(
                    "events were removed before every group had handled them",
                    metadata: [LogKey.count: "\(report.lost)"])
            }
            if !report.forgotten.isEmpty {
                logger.warning(
                    "groups without a sign of life hold up nothing any more",
                    metadata: ["groups": "\(report.forgotten)"])
            }
        }.run()
    }
}
