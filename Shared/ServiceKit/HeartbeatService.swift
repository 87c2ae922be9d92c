internal import Domain
internal import Logging
internal import ServiceLifecycle

/// Reports in the registry that this replica lives, until it stops.
struct HeartbeatService: Service {
    let context: ServiceContext

    func run() async throws {
        let since = Timestamp.now.rfc3339
        let interval = context.settings.heartbeatInterval
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let isListening = context.healthPort.value != nil
                await report(isListening ? .ready : .starting, since: since)
                try? await Task.sleep(for: isListening ? interval : .milliseconds(50))
            }
        }
        context.health.stop()
        do {
            try await context.registry.withdraw(name: context.name, replica: context.settings.replica)
        } catch {
            context.logger.warning("could not leave the registry", metadata: [LogKey.error: "\(error)"])
        }
    }

    private func report(_ state: ServiceStatus.State, since: String) async {
        let interval = context.settings.heartbeatInterval.components
        let milliseconds = Int(interval.seconds) * 1000 + Int(interval.attoseconds / 1_000_000_000_000_000)
        let status = ServiceStatus(
            name: context.name, replica: context.settings.replica, state: state, since: since,
            rssBytes: ProcessFigures.residentBytes, healthPort: context.healthPort.value,
            heartbeatMilliseconds: milliseconds)
        do {
            try await context.registry.report(status)
        } catch {
            context.logger.warning("could not report to the registry", metadata: [LogKey.error: "\(error)"])
        }
    }
}
