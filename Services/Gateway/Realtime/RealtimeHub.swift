import Access
import Domain
import EventBus
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import Redis
import ServiceLifecycle
import Synchronization
import TaskQueue
import WebSocket

/// The WebSocket side of the gateway: `/ws`. Reads the event streams once for all its clients and spreads what it reads over
/// the event loops, each of which has a share of the connections.
final class RealtimeHub: Sendable {
    static let subprotocol = "zhiyue.v1"
    static let path = "/ws"
    private static let tokenPrefix = "bearer."

    let configuration: RealtimeConfiguration
    let admission: SocketAdmission
    let loops: [RealtimeLoop]
    let bus: EventBus
    let client: RedisClient
    let queue: TaskQueue
    let places: StreamPlaces
    let logger: Logger
    private let loopOf: [ObjectIdentifier: RealtimeLoop]
    private let origins: OriginPolicy
    private let draining = Mutex(false)
    private let fed = Mutex(false)
    private let lastFigures = Mutex(RealtimeStatistics())
    private let observation = Mutex<RevocationObservation?>(nil)

    init(
        configuration: RealtimeConfiguration, eventLoopGroup: any EventLoopGroup, policy: SubscriptionPolicy,
        authenticator: Authenticator, bus: EventBus, client: RedisClient, queue: TaskQueue,
        logger: Logger
    ) {
        self.configuration = configuration
        self.bus = bus
        self.client = client
        self.queue = queue
        self.logger = logger
        places = StreamPlaces(client: client, keys: bus.keys)
        origins = OriginPolicy(allowed: configuration.origins)
        admission = SocketAdmission(
            maxSockets: configuration.maxSockets, maxWebSockets: configuration.maxConnections)
        let slots = StreamSlots(limit: .max, limitPerUser: configuration.maxConnectionsPerUser)
        let reader = HistoryReader(bus: bus, places: places)
        loops = eventLoopGroup.makeIterator().map { eventLoop in
            RealtimeLoop(
                eventLoop: eventLoop, configuration: configuration, policy: policy, authenticator: authenticator,
                slots: slots,
                reader: reader)
        }
        loopOf = Dictionary(uniqueKeysWithValues: loops.map { (ObjectIdentifier($0.eventLoop), $0) })
        let observation = authenticator.revocations.onRevoke { [weak self] user, _ in self?.revoke(user) }
        self.observation.withLock { $0 = observation }
    }

    // MARK: Handshakes

    /// What becomes of a connection's first request. On the connection's event loop.
    func decide(_ head: HTTPRequestHead, _ channel: any Channel) -> UpgradeDecision {
        guard head.uri == Self.path || head.uri.hasPrefix("\(Self.path)?") else { return .http }
        do throws(WebSocketHandshake.Refusal) {
            let handshake = try WebSocketHandshake(head)
            return accept(handshake, head, channel)
        } catch {
            return refuse(error.status, "not-a-websocket", error.detail, headers: error.headers)
        }
    }

    private func accept(
        _ handshake: WebSocketHandshake, _ head: HTTPRequestHead, _ channel: any Channel
    ) -> UpgradeDecision {
        guard origins.allows(head.headers) else {
            admission.count(refused: "origin")
            return refuse(.forbidden, "foreign-origin", "Pages of this origin may not connect: see WEBSOCKET_ORIGINS.")
        }
        guard handshake.subprotocols.contains(Self.subprotocol) else {
            return refuse(
                .badRequest, "unknown-subprotocol", "Sec-WebSocket-Protocol must have \(Self.subprotocol).")
        }
        guard !draining.withLock({ $0 }), let loop = loopOf[ObjectIdentifier(channel.eventLoop)] else {
            return refuse(
                .serviceUnavailable, "stopping", "The gateway stops. Come back.", headers: ["Retry-After": "2"])
        }
        guard admission.upgrade() else {
            return refuse(
                .serviceUnavailable, "too-many-connections", "There is no room for another connection. Try again.",
                headers: ["Retry-After": "10"])
        }
        channel.closeFuture.whenComplete { [admission] _ in admission.leaveWebSocket() }
        let token = handshake.subprotocols.first { $0.hasPrefix(Self.tokenPrefix) }
        let session = RealtimeConnection(
            loop: loop, token: token.map { String($0.dropFirst(Self.tokenPrefix.count)) })
        return .accept(
            WebSocketAcceptance(
                handshake, subprotocol: Self.subprotocol, maxMessageBytes: configuration.maxMessageBytes,
                deflate: configuration.deflate ? handshake.deflate : nil, session: session))
    }

    private func refuse(
        _ status: HTTPResponseStatus, _ code: String, _ detail: String, headers: [String: String] = [:]
    ) -> UpgradeDecision {
        let problem = Problem(
            .init(code: Int(status.code), reasonPhrase: status.reasonPhrase), code, detail)
        let body = ByteBuffer(bytes: problem.document(requestID: UUIDv7.make().compactString))
        var fields = HTTPHeaders(headers.map { ($0.key, $0.value) })
        fields.add(name: "content-type", value: "application/problem+json")
        fields.add(name: "content-length", value: "\(body.readableBytes)")
        fields.add(name: "connection", value: "close")
        return .refuse(HTTPResponseHead(version: .http1_1, status: status, headers: fields), body: body)
    }

    // MARK: For others

    /// Ends the connections of a user whose tokens have been revoked.
    private func revoke(_ user: UserID) {
        for loop in loops { loop.eventLoop.execute { loop.revoke(user) } }
    }

    /// What is counted, of all event loops.
    func statistics() async -> RealtimeStatistics {
        var total = RealtimeStatistics()
        for loop in loops {
            if let part = try? await loop.eventLoop.submit({ loop.snapshot() }).get() { total.add(part) }
        }
        total.refused.merge(admission.refused, uniquingKeysWith: +)
        lastFigures.withLock { [total] in $0 = total }
        return total
    }

    /// In the text format of Prometheus; what was counted last.
    var metrics: String { lastFigures.withLock { $0 }.text }

    /// Whether the event streams have been reached. Until then subscriptions are told to try again.
    var isFed: Bool {
        get { fed.withLock { $0 } }
        set { fed.withLock { $0 = newValue } }
    }

    // MARK: All event loops

    /// Does the same on every event loop and waits until it is done.
    func onAllLoops(_ body: @escaping @Sendable (RealtimeLoop) -> Void) async {
        for loop in loops { loop.eventLoop.execute { body(loop) } }
        for loop in loops { try? await loop.eventLoop.submit {}.get() }
    }

    /// Takes no new connections, closes those there are, and waits until they are gone, for a little longer than the
    /// closing takes.
    func drain() async {
        draining.withLock { $0 = true }
        await onAllLoops { [configuration] in $0.drain(over: TimeAmount(configuration.drain)) }
        let deadline = ContinuousClock.now + configuration.drain + .seconds(3)
        while ContinuousClock.now < deadline {
            var isEmpty = true
            for loop in loops {
                if let isLoopEmpty = try? await loop.eventLoop.submit({ loop.isEmpty }).get(), !isLoopEmpty {
                    isEmpty = false
                }
            }
            if isEmpty { return }
            // Called while the service is being stopped, which cancels nothing: this does sleep.
            try? await Task.sleep(for: .milliseconds(50))
        }
    }
}
