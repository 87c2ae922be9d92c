internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// Makes connections to the configured server on one event loop.
struct RedisConnector: Sendable {
    private let configuration: RedisConfiguration
    private let eventLoop: any EventLoop
    private let tls: NIOSSLContext?
    /// What makes every attempt futile: an option out of its range, or authorities that cannot be read.
    let configurationError: RedisError?

    init(configuration: RedisConfiguration, eventLoop: any EventLoop) {
        self.configuration = configuration
        self.eventLoop = eventLoop
        do throws(RedisError) {
            try configuration.validate()
            tls = try configuration.tls.map(Self.context)
            configurationError = nil
        } catch {
            tls = nil
            configurationError = error
        }
    }

    /// - Returns: A connection that has been greeted, or a `RedisError` (`.notSent`, or `.refused` when the server
    ///   refused the greeting), within the connect time-out.
    func connect() -> EventLoopFuture<RedisChannelHandler> {
        if let configurationError {
            return eventLoop.makeFailedFuture(configurationError)
        }
        let ready = eventLoop.makePromise(of: Void.self)
        let handler: RedisChannelHandler
        do {
            handler = try RedisChannelHandler(configuration: configuration, ready: ready)
        } catch {
            ready.fail(error)
            return eventLoop.makeFailedFuture(RedisError(.notSent, "\(error)", underlying: error))
        }
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(TimeAmount(configuration.connectTimeout))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls = try self.makeTLSHandler() {
                        try channel.pipeline.syncOperations.addHandler(tls)
                    }
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
        let channel: EventLoopFuture<any Channel> =
            switch configuration.endpoint {
            case .unixSocket(let path):
                bootstrap.connect(unixDomainSocketPath: path)
            case .tcp(let host, let port):
                bootstrap
                    .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                    .channelOption(.socketOption(.so_keepalive), value: 1)
                    .connect(host: host, port: port)
            }
        channel.whenFailure { error in
            handler.close(reason: Self.reason(error), underlying: error)
        }
        let timeLimit = eventLoop.scheduleTask(in: TimeAmount(configuration.connectTimeout)) {
            handler.close(reason: "no answer within \(configuration.connectTimeout)")
        }
        return ready.futureResult.map { handler }.always { _ in timeLimit.cancel() }
    }

    private func makeTLSHandler() throws -> NIOSSLClientHandler? {
        guard let tls, case .tcp(let host, _) = configuration.endpoint else { return nil }
        // An address is no server name; the certificate is then verified against the address itself.
        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        return try NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : host)
    }

    private static func context(_ options: RedisConfiguration.TLS) throws(RedisError) -> NIOSSLContext {
        var settings = TLSConfiguration.makeClientConfiguration()
        if let file = options.authorityFile {
            settings.trustRoots = .file(file)
        }
        do {
            return try NIOSSLContext(configuration: settings)
        } catch {
            let file = options.authorityFile ?? "of the system"
            throw RedisError(
                .invalidConfiguration, "cannot read the certificate authorities \(file)", underlying: error)
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let error as IOError: String(describing: error)
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { "\($0.error)" }
                ?? "the host name has no address"
        default: "\(error)"
        }
    }
}
