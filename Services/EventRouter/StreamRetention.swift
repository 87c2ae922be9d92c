internal import EventBus
internal import Logging
internal import ServiceKit
internal import ServiceLifecycle

/// Removes old events nobody needs any more, every few minutes. Harmless when several replicas do it.
struct StreamRetention: Service {
    let bus: EventBus
    let logger: Logger

    private static let interval: Duration = .seconds(300)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
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
                } catch {
                    logger.warning("could not remove old events", metadata: [LogKey.error: "\(error)"])
                }
                // Ends early only at the stop.
                try? await Task.sleep(for: Self.interval)
            }
        }
    }
}
