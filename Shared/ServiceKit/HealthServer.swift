internal import Hummingbird
internal import Logging
internal import ServiceLifecycle

/// Answers `/healthz`, `/readyz` and `/metrics` for a service that has no HTTP server of its own.
struct HealthServer: Service {
    let context: ServiceContext

    func run() async throws {
        let router = Router()
        context.health.addRoutes(to: router)
        let port = context.healthPort
        let application = Application(
            router: router,
            configuration: .init(
                address: .hostname(context.settings.healthHost, port: context.settings.healthPort),
                serverName: nil),
            onServerRunning: { channel in port.value = channel.localAddress?.port },
            logger: Logger(label: "health") { _ in SwiftLogNoOpLogHandler() })
        try await application.run()
    }
}
