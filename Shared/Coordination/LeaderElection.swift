package import Logging
internal import ServiceLifecycle

/// Has one replica of many do something, as long as it lives; then another.
///
/// What the leader does is cancelled when it may no longer be the leader, and at graceful shutdown, when the next one
/// takes over within a fifth of a second.
package struct LeaderElection: Service {
    private let lock: DistributedLock
    private let logger: Logger
    private let lead: @Sendable (Fence) async throws -> Void

    /// - Parameter lead: What the leader does, until it is cancelled. Begun again when it ends or throws.
    package init(lock: DistributedLock, logger: Logger, lead: @escaping @Sendable (Fence) async throws -> Void) {
        self.lock = lock
        self.logger = logger
        self.lead = lead
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await lock.withLock { fence in
                        logger.info("leading", metadata: ["lock": "\(lock.name)", "fence": "\(fence.number)"])
                        try await lead(fence)
                    }
                } catch {
                    if Task.isCancelled { return }
                    logger.warning("no longer leading", metadata: ["lock": "\(lock.name)", "error": "\(error)"])
                }
                // Work that fails at once must not keep Redis busy, nor the lock from other replicas.
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }
}
