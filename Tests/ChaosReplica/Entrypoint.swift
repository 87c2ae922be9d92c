internal import ChaosWorkload
internal import Domain
internal import EventBus
internal import Logging
internal import Redis
internal import ServiceLifecycle
internal import UnixSignals

/// A replica of a group in a process of its own, so that tests can kill it, stop it, and set its clock wrong.
@main
enum Entrypoint {
    static func main() async throws {
        let options = try ReplicaOptions(json: CommandLine.arguments.dropFirst().first ?? "")
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        let logger = Logger(label: options.name)
        let client = try options.timing.client(options.redis, logger: logger)
        let bus = options.timing.bus(client, source: "/zhiyue/\(options.name)")
        let clock = "\(Timestamp.now.milliseconds)"
        let subscriber = EventSubscriber(
            bus: bus, group: options.group, replica: options.name,
            handlers: [CountingHandler(client: client, keys: bus.keys)], logger: logger)
        let services = ServiceGroup(
            configuration: .init(
                services: [client, ClockReport(client: client, key: options.clockKey, text: clock), subscriber],
                gracefulShutdownSignals: [.sigterm], logger: logger))
        try await services.run()
    }
}

/// Tells once what this process takes for the time.
private struct ClockReport: Service {
    let client: RedisClient
    let key: String
    let text: String

    func run() async throws {
        _ = try? await client.send(["SET", key, text])
        try? await gracefulShutdown()
    }
}
