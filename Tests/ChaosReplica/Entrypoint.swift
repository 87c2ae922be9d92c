internal import ChaosWorkload
internal import Domain
internal import EventBus
internal import Foundation
internal import Logging
internal import Redis
internal import ServiceLifecycle
internal import TaskQueue
internal import UnixSignals

/// A replica in a process of its own, so that tests can kill it, stop it, and set its clock wrong.
@main
enum Entrypoint {
    static func main() async throws {
        let options = try ReplicaOptions(json: CommandLine.arguments.dropFirst().first ?? "")
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        let logger = Logger(label: options.name)
        let client = try options.timing.client(options.redis, logger: logger)
        let services = ServiceGroup(
            configuration: .init(
                services: [
                    client, StartReport(file: options.reportFile), service(options, client: client, logger: logger),
                ],
                gracefulShutdownSignals: [.sigterm], logger: logger))
        try await services.run()
    }

    private static func service(_ options: ReplicaOptions, client: RedisClient, logger: Logger) -> any Service {
        switch options.role {
        case .subscriber(let group):
            let bus = options.timing.bus(client, source: "/zhiyue/\(options.name)")
            return EventSubscriber(
                bus: bus, group: group, replica: options.name,
                handlers: [CountingHandler(client: client, keys: bus.keys)], logger: logger)
        case .taskWorker(let worker):
            return TaskWorker(
                queue: options.timing.queue(client),
                handlers: [CountedTaskHandler(ledger: EffectLedger(client: client), gates: worker.gates)],
                maxWorkers: worker.places, name: options.name, logger: logger)
        case .taskProducer(let producer):
            return TaskProducer(queue: options.timing.queue(client), options: producer)
        }
    }
}

/// Tells once that this process heeds SIGTERM from now on, and what it takes for the time.
private struct StartReport: Service {
    let file: String

    func run() async throws {
        try "\(Timestamp.now.milliseconds)".write(toFile: file, atomically: true, encoding: .utf8)
        try? await gracefulShutdown()
    }
}
