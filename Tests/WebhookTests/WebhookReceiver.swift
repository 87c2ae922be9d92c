import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization
import TestSupport

@testable import Webhooks

/// A server that gets events and answers as it is told.
final class WebhookReceiver: Sendable {
    struct Delivery: Sendable {
        let path: String
        let headers: [String: String]
        let body: [UInt8]

        var id: String { headers["webhook-id"] ?? "" }
        var event: [String: Any] {
            ((try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any]) ?? [:]
        }
        var type: String { event["type"] as? String ?? "" }

        /// Checked as Standard Webhooks tells receivers to.
        func isSigned(with secret: WebhookSecret) -> Bool {
            guard let timestamp = headers["webhook-timestamp"].flatMap({ Int64($0) }),
                abs(Date().timeIntervalSince1970 - Double(timestamp)) < 300
            else { return false }
            let expected = secret.signature(id: id, timestamp: timestamp, body: body)
            return (headers["webhook-signature"] ?? "").split(separator: " ").contains { $0 == expected }
        }
    }

    enum Answer: Sendable {
        case status(Int, [String: String] = [:])
        /// Takes the request and says nothing.
        case nothing
        /// Closes the connection instead of answering.
        case close
        /// Answers with a body that never ends.
        case endless
    }

    let port: Int
    private let channel: any Channel
    private let received: Received

    final class Received: Sendable {
        let deliveries = Mutex<[Delivery]>([])
    }

    /// - Parameters:
    ///   - certificate: for TLS; nil for none.
    ///   - answer: to a delivery, with how many came to the same path before it.
    init(
        certificate: Certificate? = nil,
        answer: @escaping @Sendable (Delivery, Int) -> Answer = { _, _ in .status(204) }
    ) async throws {
        let received = Received()
        self.received = received
        let tls = try certificate.map { certificate in
            try NIOSSLContext(
                configuration: .makeServerConfiguration(
                    certificateChain: NIOSSLCertificate.fromPEMFile(certificate.file).map { .certificate($0) },
                    privateKey: .privateKey(NIOSSLPrivateKey(file: certificate.keyFile, format: .pem))))
        }
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
                    }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(received: received, answer: answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = channel.localAddress?.port ?? 0
    }

    deinit {
        channel.close(promise: nil)
    }

    var deliveries: [Delivery] { received.deliveries.withLock { $0 } }
    func url(_ path: String = "/hook") -> String { "http://127.0.0.1:\(port)\(path)" }
    func deliveries(at path: String) -> [Delivery] { deliveries.filter { $0.path == path } }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let received: Received
        private let answer: @Sendable (Delivery, Int) -> Answer
        private var head: HTTPRequestHead?
        private var body: [UInt8] = []

        init(received: Received, answer: @escaping @Sendable (Delivery, Int) -> Answer) {
            self.received = received
            self.answer = answer
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                body = []
            case .body(let part):
                body += part.readableBytesView
            case .end:
                guard let head else { return }
                let delivery = Delivery(
                    path: head.uri,
                    headers: Dictionary(
                        head.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first }),
                    body: body)
                let earlier = received.deliveries.withLock { deliveries in
                    defer { deliveries.append(delivery) }
                    return deliveries.count { $0.path == delivery.path }
                }
                reply(answer(delivery, earlier), context: context)
            }
        }

        private func reply(_ answer: Answer, context: ChannelHandlerContext) {
            switch answer {
            case .nothing: return
            case .close: context.close(promise: nil)
            case .status(let status, let fields):
                var headers = HTTPHeaders([("content-length", "0")])
                for (name, value) in fields { headers.add(name: name, value: value) }
                let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers)
                context.write(wrapOutboundOut(.head(head)), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            case .endless:
                context.write(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .ok))), promise: nil)
                writeOn(context: context)
            }
        }

        private func writeOn(context: ChannelHandlerContext) {
            guard context.channel.isActive else { return }
            let part = ByteBuffer(repeating: UInt8(ascii: "x"), count: 64 << 10)
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(part)))).whenSuccess {
                bound.value.0.writeOn(context: bound.value.1)
            }
        }
    }
}
