package import Logging
internal import ServiceLifecycle

/// Does something now and then again at intervals, until the service stops. A failure is logged, and the next time comes.
package struct PeriodicWork: Service {
    private let name: String
    private let interval: Duration
    private let logger: Logger
    private let work: @Sendable () async throws -> Void

    /// - Parameters:
    ///   - name: for the log, behind "could not", such as "remove old events".
    ///   - interval: from the end of one time to the beginning of the next.
    ///   - work: Harmless when several replicas do it, unless only a leader is asked to.
    package init(
        _ name: String, every interval: Duration, logger: Logger, work: @escaping @Sendable () async throws -> Void
    ) {
        self.name = name
        self.interval = interval
        self.logger = logger
        self.work = work
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await work()
                } catch {
                    logger.warning("could not \(name)", metadata: [LogKey.error: "\(error)"])
                }
                // Ends early only at the stop.
                try? await Task.sleep(for: interval)
            }
        }
    }
}
