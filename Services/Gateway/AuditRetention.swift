import Audit
import Logging
import ServiceLifecycle

/// Removes audit entries whose retention is over, every hour. Harmless when several replicas do it.
struct AuditRetention: Service {
    let audit: AuditLog
    let retention: Duration
    let logger: Logger

    private static let interval: Duration = .seconds(3600)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    let removed = try await audit.trim(retention: retention)
                    if removed > 0 { logger.info("removed old audit entries", metadata: ["count": "\(removed)"]) }
                } catch {
                    logger.warning("could not remove old audit entries", metadata: ["error": "\(error)"])
                }
                // Ends early only at the stop.
                try? await Task.sleep(for: Self.interval)
            }
        }
    }
}
