import NIOCore
import ServiceKit

/// What the WebSocket side reads from its environment.
struct RealtimeConfiguration: Sendable {
    /// `WEBSOCKET_HEARTBEAT_INTERVAL`: seconds between heartbeats. Who is not heard of for two and a half is cut off.
    var heartbeat: Duration = .seconds(15)
    /// `MAX_MESSAGE_QUEUE_SIZE`: messages a client may be behind.
    var maxBehind = 1000
    /// `WEBSOCKET_MAX_CONNECTIONS`
    var maxConnections: Int
    /// `HTTP_MAX_CONNECTIONS`: sockets of clients in all, WebSockets or not.
    var maxSockets: Int
    /// `WEBSOCKET_MAX_CONNECTIONS_PER_USER`
    var maxConnectionsPerUser = 20
    /// `WEBSOCKET_MAX_SUBSCRIPTIONS`: of a connection.
    var maxSubscriptions = 32
    /// `WEBSOCKET_MAX_MESSAGE_BYTES`: of a client's message.
    var maxMessageBytes = 16 << 10
    /// `WEBSOCKET_MAX_MESSAGES_PER_SECOND`: of a client, on average; three seconds' worth may come at once.
    var maxMessagesPerSecond = 20
    /// `WEBSOCKET_ORIGINS`: origins of other sites whose pages may connect.
    var origins: [String] = []
    /// `WEBSOCKET_DRAIN`: seconds over which connections are closed when the gateway stops.
    var drain: Duration = .seconds(5)
    /// `WEBSOCKET_DEFLATE`: whether events are compressed for clients that ask for it.
    var deflate = false

    /// Bytes of the smallest frames that are compressed.
    var deflateMinBytes = 200
    /// Exams a subscription names at most.
    var maxExams = 200
    /// How long a new connection may take to send its first request, and a WebSocket to send its token.
    var handshakeDeadline: Duration = .seconds(10)
    var authenticationDeadline: Duration = .seconds(5)
    /// How long a client may take nothing at all.
    var stallLimit: Duration = .seconds(30)
    /// Recent events kept for clients that are behind or come back, and their bytes of JSON at most.
    var ringEvents = 8192
    var ringBytes = 32 << 20
    /// Events looked at on behalf of one subscription that comes back, at most; beyond it, it is not recovered.
    var maxHistoryScan = 100_000
    /// How often each event loop looks at its connections' clocks.
    var tick: Duration = .seconds(1)

    init() {
        maxSockets = Self.defaultSockets
        maxConnections = Self.share(of: maxSockets)
    }

    /// - Throws: `SettingsError` naming the setting and what is expected.
    init(reader: SettingsReader) throws {
        self.init()
        heartbeat = try reader.seconds("WEBSOCKET_HEARTBEAT_INTERVAL", in: 1...300, default: heartbeat)
        maxBehind = try reader.integer("MAX_MESSAGE_QUEUE_SIZE", in: 1...100_000, default: maxBehind)
        maxSockets = try reader.integer("HTTP_MAX_CONNECTIONS", in: 1...1_000_000, default: maxSockets)
        guard maxSockets <= Self.defaultSockets else {
            throw SettingsError(
                name: "HTTP_MAX_CONNECTIONS",
                problem: """
                    is \(maxSockets), and \(OpenFiles.limit) open files leave room for \(Self.defaultSockets): raise that \
                    limit (ulimit -n, LimitNOFILE) or lower this one
                    """)
        }
        maxConnections = try reader.integer(
            "WEBSOCKET_MAX_CONNECTIONS", in: 0...1_000_000, default: Self.share(of: maxSockets))
        maxConnectionsPerUser = try reader.integer(
            "WEBSOCKET_MAX_CONNECTIONS_PER_USER", in: 1...1_000_000, default: maxConnectionsPerUser)
        maxSubscriptions = try reader.integer(
            "WEBSOCKET_MAX_SUBSCRIPTIONS", in: 1...10_000, default: maxSubscriptions)
        maxMessageBytes = try reader.integer(
            "WEBSOCKET_MAX_MESSAGE_BYTES", in: 1024...1 << 20, default: maxMessageBytes)
        maxMessagesPerSecond = try reader.integer(
            "WEBSOCKET_MAX_MESSAGES_PER_SECOND", in: 1...10_000, default: maxMessagesPerSecond)
        drain = try reader.seconds("WEBSOCKET_DRAIN", in: 0...600, default: drain)
        deflate = try reader.choice("WEBSOCKET_DEFLATE", default: GatewayConfiguration.Switch.no) == .yes
        if let text = reader.text("WEBSOCKET_ORIGINS") { origins = try Self.origins(text) }
        // What is kept must reach as far back as clients may be behind.
        ringEvents = max(ringEvents, maxBehind * 2)
    }

    private static func origins(_ text: String) throws -> [String] {
        try text.split(separator: ",").map { part in
            let origin = part.filter { !$0.isWhitespace }
            guard OriginPolicy.isOrigin(origin) else {
                throw SettingsError(
                    name: "WEBSOCKET_ORIGINS",
                    problem: "has \"\(origin)\"; origins such as https://school.example are expected")
            }
            return origin.lowercased()
        }
    }

    /// Sockets that are told that there is no room for them, at a time.
    static let refusals = 32

    /// Leaves descriptors for Redis, uploads, logs and event loops, and for who is refused. There must always be some:
    /// without any the runtime under Swift's tasks ends the process.
    private static var defaultSockets: Int {
        let descriptors = OpenFiles.limit
        let others = max(128, min(512, descriptors / 8)) + 4 * System.coreCount
        return max(32, min(descriptors, 1_000_000) - others)
    }

    /// Leaves sockets for requests.
    private static func share(of sockets: Int) -> Int {
        sockets - max(16, min(512, sockets / 8))
    }
}
