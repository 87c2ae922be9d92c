import Access
import Accounts
import Audit
import BlobStore
import Domain
import EventBus
import ExamStore
import FoundationEssentials
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ScanReader
import ServiceKit
import ServiceLifecycle
import Webhooks

/// The HTTP side of the system.
enum Gateway {
    @Sendable
    static func services(_ context: ServiceContext) async throws -> [any Service] {
        OpenFiles.raiseLimit()
        let healthPort = context.healthPort
        let configuration = try GatewayConfiguration(reader: context.reader)
        let (audit, blobs, logger) = (audit(context), context.blobs, context.logger)
        let gauges = QueueGauges(queue: context.queue)
        let identity = try await Identity(context, configuration: configuration)
        let hub = hub(context, configuration: configuration, identity: identity)
        return [
            PeriodicWork("remove old audit entries", every: .seconds(3600), logger: logger) {
                let removed = try await audit.trim(retention: configuration.auditRetention)
                if removed > 0 { logger.info("removed old audit entries", metadata: [LogKey.count: "\(removed)"]) }
            },
            PeriodicWork("count what is in the queues", every: .seconds(10), logger: logger) {
                try await gauges.update()
            },
            try await application(
                context, configuration: configuration, identity: identity, gauges: gauges, hub: hub
            ) { port in
                healthPort.value = port
            },
            // Behind the server, so that connections are drained before it stops.
            RealtimeFeed(hub: hub),
            // What gateways killed in the middle of uploads have left behind.
            PeriodicWork("remove unfinished uploads", every: .seconds(3600), logger: logger) {
                let removed = try await blobs.removeStrays()
                if removed > 0 { logger.info("removed unfinished uploads", metadata: [LogKey.count: "\(removed)"]) }
            },
        ]
    }

    private static func audit(_ context: ServiceContext) -> AuditLog {
        AuditLog(client: context.client, keys: context.settings.keys, partitions: context.settings.bus.partitions)
    }

    static func hub(
        _ context: ServiceContext, configuration: GatewayConfiguration, identity: Identity
    ) -> RealtimeHub {
        let hub = RealtimeHub(
            configuration: configuration.realtime, eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            policy: SubscriptionPolicy(access: ExamAccess(store: context.store)),
            authenticator: identity.authenticator, bus: context.bus, client: context.client, queue: context.queue,
            logger: context.logger)
        context.health.require(orSay: "the event streams have not been reached") { hub.isFed }
        return hub
    }

    /// - Parameter onListening: called with the port when the server takes connections.
    static func application(
        _ context: ServiceContext, configuration: GatewayConfiguration, identity: Identity, gauges: QueueGauges,
        hub: RealtimeHub, onListening: @escaping @Sendable (Int) -> Void
    ) async throws -> Application<RouterResponder<GatewayContext>> {
        if let path = configuration.adminPasswordFile {
            try await identity.signIn.createAdministrator(password: try password(in: path), logger: context.logger)
        }
        let routes = try routes(
            context, configuration: configuration, identity: identity, gauges: gauges, hub: hub)
        let maxUploadBytes = configuration.upload.totalBytes
        return Application(
            responder: routes.buildResponder(),
            server: HTTPServerBuilder { responder in
                GatewayChannel(
                    responder: responder, hub: hub, maxBodyBytes: maxUploadBytes,
                    idleTimeout: TimeAmount(configuration.idleTimeout))
            },
            configuration: .init(
                // Thousands come back at once after a restart, and each that finds no room waits for seconds. The kernel
                // takes no more than net.core.somaxconn.
                address: .hostname(configuration.host, port: configuration.port), serverName: nil, backlog: 8192,
                // Who waits to be refused is bounded too; all others wait in the kernel.
                availableConnectionsDelegate: MaximumAvailableConnections(
                    configuration.realtime.maxSockets + RealtimeConfiguration.refusals)),
            services: identity.services(logger: context.logger),
            onServerRunning: { channel in onListening(channel.localAddress?.port ?? configuration.port) },
            logger: context.logger)
    }

    private static func routes(
        _ context: ServiceContext, configuration: GatewayConfiguration, identity: Identity, gauges: QueueGauges,
        hub: RealtimeHub
    ) throws -> RouteTable {
        let (store, queue, blobs) = (context.store, context.queue, context.blobs)
        let access = ExamAccess(store: store)
        let selection = EventSelection(access: access)
        let audit = audit(context)
        let (signIn, sessions, authenticator) = (identity.signIn, identity.sessions, identity.authenticator)
        let routes = RouteTable(
            authenticator: authenticator,
            repeats: RepeatStore(client: context.client, keys: context.settings.keys),
            configuration: configuration)
        routes.addHealth(context.health) { gauges.text + hub.metrics }
        AuthRoutes(signIn: signIn, sessions: sessions, authenticator: authenticator, audit: audit)
            .declare(in: routes)
        UserRoutes(
            accounts: signIn.accounts, passwords: signIn.passwords, revocations: sessions.revocations,
            guarding: signIn.guarding
        ).declare(in: routes)
        ExamRoutes(store: store, access: access).declare(in: routes)
        GrantRoutes(store: store, access: access).declare(in: routes)
        ResultRoutes(store: store).declare(in: routes)
        PrintRoutes(store: store, access: access).declare(in: routes)
        UploadRoutes(
            access: access,
            receiver: UploadReceiver(limits: configuration.upload, makePath: { blobs.temporaryPath() }),
            admission: UploadAdmission(
                store: store, blobs: blobs, queue: queue,
                intake: ScanIntake(limits: .init(maxFileBytes: configuration.upload.fileBytes)))
        ).declare(in: routes)
        let pictures = ScanPictures(blobs: blobs, logger: context.logger)
        SheetRoutes(store: store, access: access, blobs: blobs, pictures: pictures).declare(in: routes)
        ReviewRoutes(
            store: store, access: access, pictures: pictures, blobs: blobs, lease: configuration.reviewLease
        ).declare(in: routes)
        TaskRoutes(queue: queue, access: access, audit: audit).declare(in: routes)
        QueueRoutes(queue: queue, audit: audit).declare(in: routes)
        ReportRoutes(store: store, access: access, queue: queue, blobs: blobs).declare(in: routes)
        EventRoutes(bus: context.bus, selection: selection).declare(in: routes)
        EventStreamRoutes(
            bus: context.bus, client: context.client, selection: selection, revocations: sessions.revocations
        ).declare(in: routes)
        ReplayRoutes(bus: context.bus, audit: audit).declare(in: routes)
        DeadLetterRoutes(bus: context.bus, selection: selection, audit: audit).declare(in: routes)
        AuditRoutes(audit: audit).declare(in: routes)
        NotificationRoutes(store: store).declare(in: routes)
        WebhookRoutes(
            webhooks: WebhookStore(client: context.client, keys: context.settings.keys), access: access, audit: audit,
            sender: WebhookSender(configuration: configuration.webhooks), configuration: configuration.webhooks
        ).declare(in: routes)
        SystemRoutes(registry: context.registry, queue: queue, bus: context.bus, hub: hub).declare(in: routes)
        try DocumentRoutes.declare(in: routes)
        return routes
    }

    private static func password(in path: String) throws -> String {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw SettingsError(name: "ADMIN_PASSWORD_FILE", problem: "names \(path), which cannot be read")
        }
        let password = text.split(whereSeparator: \.isNewline).first.map { String($0) } ?? ""
        guard password.utf8.count >= 8 else {
            throw SettingsError(name: "ADMIN_PASSWORD_FILE", problem: "must hold a password of 8 characters or more")
        }
        return password
    }
}
