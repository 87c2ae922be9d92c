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
                    let removed = try await bus.trim()
                    if removed > 0 { logger.info("removed old events", metadata: [LogKey.count: "\(removed)"]) }
                } catch {
                    logger.warning("could not remove old events", metadata: [LogKey.error: "\(error)"])
                }
                // Ends early only at the stop.
                try? await Task.sleep(for: Self.interval)
            }
        }
    }
}
