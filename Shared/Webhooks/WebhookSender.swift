internal import AsyncHTTPClient
internal import Domain
internal import Glibc
package import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// Sends signed events to webhooks.
///
/// The host is looked up once an attempt, and the connection goes to an address that was checked: a name that leads
/// somewhere else a moment later leads nowhere here. Certificates are verified for the host's name. Redirections are not
/// followed, and of the answer no more than its status is kept.
package final class WebhookSender: Sendable {
    private let configuration: WebhookConfiguration
    private let eventLoopGroup: any EventLoopGroup
    private let resolver: HostResolver

    /// Bytes of an answer that are read, so that a receiver can write it out.
    private static let maxAnswerBytes = 4096
    /// Addresses of a host that are tried, one after another, while none can be connected to.
    private static let maxAddresses = 4

    package init(
        configuration: WebhookConfiguration,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) {
        self.configuration = configuration
        self.eventLoopGroup = eventLoopGroup
        resolver = HostResolver(eventLoop: eventLoopGroup.next())
    }

    /// - Parameters:
    ///   - body: an event as CloudEvents JSON.
    ///   - id: the event's, the same in every attempt.
    package func send(_ body: [UInt8], id: String, to webhook: Webhook) async -> WebhookAnswer {
        let begin = ContinuousClock.now
        let result = await attempt(body, id: id, to: webhook, until: begin + configuration.timeout)
        let (seconds, attoseconds) = (ContinuousClock.now - begin).components
        return WebhookAnswer(result, milliseconds: Int(seconds * 1000 + attoseconds / 1_000_000_000_000_000))
    }

    private func attempt(
        _ body: [UInt8], id: String, to webhook: Webhook, until deadline: ContinuousClock.Instant
    ) async -> WebhookAnswer.Result {
        // Again, since the settings may have become stricter.
        guard let address = try? WebhookAddress(webhook.url, configuration: configuration) else {
            return .fault(.addressInvalid)
        }
        guard
            let found = try? await resolver.addresses(
                of: address.host, port: address.port, within: deadline - ContinuousClock.now)
        else { return .fault(.unresolved) }
        let targets = found.filter { configuration.allowsPrivate || NetworkRanges.isPublic($0) }
            .compactMap(\.ipAddress)
        guard !targets.isEmpty else { return .fault(.addressRefused) }

        let request = signedRequest(body, id: id, to: webhook, at: address.url)
        var result = WebhookAnswer.Result.fault(.unreachable)
        for target in targets.prefix(Self.maxAddresses) where result == .fault(.unreachable) {
            result = await send(request, to: [address.host: target], until: deadline)
        }
        return result
    }

    /// - Parameter target: the address that the host is connected at.
    private func send(
        _ request: HTTPClientRequest, to target: [String: String], until deadline: ContinuousClock.Instant
    ) async -> WebhookAnswer.Result {
        // Of its own, because the address of a host is a setting of a whole client.
        let client = HTTPClient(
            eventLoopGroupProvider: .shared(eventLoopGroup), configuration: clientSettings(target))
        let result = await withTaskGroup(of: WebhookAnswer.Result.self) { race in
            race.addTask { await Self.execute(request, by: client, within: deadline - ContinuousClock.now) }
            race.addTask {
                try? await ContinuousClock().sleep(until: deadline)
                return .fault(.timedOut)
            }
            let first = await race.next() ?? .fault(.failed)
            race.cancelAll()
            return first
        }
        try? await client.shutdown()
        return result
    }

    private func signedRequest(_ body: [UInt8], id: String, to webhook: Webhook, at url: String) -> HTTPClientRequest {
        let now = Timestamp.now
        let seconds = now.milliseconds / 1000
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/cloudevents+json")
        request.headers.add(name: "user-agent", value: "ZhiYue-Webhooks/1")
        request.headers.add(name: "webhook-id", value: id)
        request.headers.add(name: "webhook-timestamp", value: String(seconds))
        request.headers.add(
            name: "webhook-signature",
            value: webhook.secrets(at: now).map { $0.signature(id: id, timestamp: seconds, body: body) }
                .joined(separator: " "))
        request.body = .bytes(ByteBuffer(bytes: body))
        return request
    }

    private func clientSettings(_ addresses: [String: String]) -> HTTPClient.Configuration {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let file = configuration.authorityFile { tls.additionalTrustRoots = [.file(file)] }
        var settings = HTTPClient.Configuration(
            tlsConfiguration: tls, redirectConfiguration: .disallow,
            timeout: .init(connect: TimeAmount(configuration.timeout), read: TimeAmount(configuration.timeout)),
            decompression: .disabled)
        // The next address is tried instead, and there is another attempt.
        settings.connectionPool.retryConnectionEstablishment = false
        settings.httpVersion = .http1Only
        settings.dnsOverride = addresses
        return settings
    }

    private static func execute(
        _ request: HTTPClientRequest, by client: HTTPClient, within timeout: Duration
    ) async -> WebhookAnswer.Result {
        do {
            let response = try await client.execute(request, timeout: TimeAmount(timeout))
            var bytes = 0
            // Whatever becomes of the rest, the status is the answer.
            do {
                for try await part in response.body {
                    bytes += part.readableBytes
                    if bytes >= maxAnswerBytes { break }
                }
            } catch {}
            return .status(Int(response.status.code))
        } catch {
            return .fault(fault(error))
        }
    }

    private static func fault(_ error: any Error) -> WebhookAnswer.Fault {
        switch error {
        case let error as HTTPClientError where error == .remoteConnectionClosed: .closed
        case let error as HTTPClientError where error == .tlsHandshakeTimeout: .untrusted
        case let error as HTTPClientError
        where [.deadlineExceeded, .connectTimeout, .readTimeout, .cancelled].contains(error):
            .timedOut
        case is CancellationError: .timedOut
        case is NIOConnectionError: .unreachable
        case let error as IOError where error.errnoCode == ECONNREFUSED: .unreachable
        case is IOError: .closed
        default: String(describing: type(of: error)).contains("SSL") ? .untrusted : .failed
        }
    }
}
