import Access
import Configuration
import Crypto
import Domain
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceKit
import Synchronization
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(2))) struct TokenKeysTests {
    /// An issuer whose keys are at an address of this machine.
    private final class Issuer: Sendable {
        let key = P256.Signing.PrivateKey()

        func keySet(_ id: String) -> String {
            let point = key.publicKey.rawRepresentation
            return #"{"keys":[{"kty":"EC","crv":"P-256","kid":"\#(id)","x":"\#(Self.text(point.prefix(32)))","#
                + #""y":"\#(Self.text(point.suffix(32)))"}]}"#
        }

        func token(_ id: String, role: String = "teacher") throws -> String {
            let now = Timestamp.now.milliseconds / 1000
            let claims =
                #"{"iss":"issuer","aud":"marking","sub":"li","role":"\#(role)","iat":\#(now),"exp":\#(now + 60)}"#
            let signed = Self.text(Data(#"{"alg":"ES256","kid":"\#(id)"}"#.utf8)) + "." + Self.text(Data(claims.utf8))
            return signed + "." + Self.text(try key.signature(for: Data(signed.utf8)).rawRepresentation)
        }

        private static func text(_ data: Data) -> String {
            data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        }
    }

    /// Answers every request with what it is told to.
    private final class KeyServer: Sendable {
        let answer = Mutex<(status: Int, body: String)>((200, "{}"))
        let requests = Mutex(0)
        let channel: any Channel

        init() async throws {
            let whole = Unowned()
            channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                        try channel.pipeline.syncOperations.addHandler(Responder { whole.server })
                    }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            whole.server = self
        }

        var url: String { "http://127.0.0.1:\(channel.localAddress?.port ?? 0)/keys" }

        /// The server, for handlers that are made before it is complete.
        private final class Unowned: Sendable {
            private let value = Mutex<KeyServer?>(nil)

            var server: KeyServer? {
                get { value.withLock { $0 } }
                set { value.withLock { $0 = newValue } }
            }
        }

        private final class Responder: ChannelInboundHandler {
            typealias InboundIn = HTTPServerRequestPart
            typealias OutboundOut = HTTPServerResponsePart

            private let server: () -> KeyServer?

            init(_ server: @escaping () -> KeyServer?) {
                self.server = server
            }

            func channelRead(context: ChannelHandlerContext, data: NIOAny) {
                guard case .end = unwrapInboundIn(data), let server = server() else { return }
                server.requests.withLock { $0 += 1 }
                let (status, body) = server.answer.withLock { $0 }
                var head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status))
                head.headers.add(name: "Content-Length", value: "\(body.utf8.count)")
                context.write(wrapOutboundOut(.head(head)), promise: nil)
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }

    private func outside(_ location: KeySetLocation) -> GatewayConfiguration {
        var configuration = GatewayConfiguration()
        configuration.token.outside = OutsideIssuer(issuer: "issuer", audience: "marking")
        configuration.token.keySet = location
        return configuration
    }

    @Test func `tokens of an outside issuer are accepted, their exams are their own, and they can be revoked`()
        async throws
    {
        let issuer = Issuer()
        let server = try await KeyServer()
        server.answer.withLock { $0 = (200, issuer.keySet("k1")) }
        try await RunningGateway.run(outside(.url(server.url))) { gateway in
            let token = try issuer.token("k1")
            let exam = try await gateway.createExam(token: token)
            #expect(try await gateway.send("GET", "/api/exams/\(exam)", token: token).json["owner"] as? String == "li")
            #expect(try await gateway.send("GET", "/api/exams/\(exam)").status == 404)
            let admin = try await gateway.token("root", .admin)
            #expect(try await gateway.send("DELETE", "/api/users/li/sessions", token: admin).status == 204)
            #expect(try await gateway.send("GET", "/api/exams", token: token).problem == "token-invalid")
        }
        try await server.channel.close()
    }

    @Test func `a key nobody knows is looked for, not more often than every ten seconds`() async throws {
        let issuer = Issuer()
        let server = try await KeyServer()
        server.answer.withLock { $0 = (503, "away") }
        let keys = try await Self.keys(.url(server.url))
        #expect(server.requests.withLock { $0 } == 1)
        server.answer.withLock { $0 = (200, issuer.keySet("k1")) }
        await withTaskGroup(of: Void.self) { tasks in
            for _ in 0..<20 { tasks.addTask { await keys.refresh(isUrgent: true) } }
        }
        // Within ten seconds of the first.
        #expect(server.requests.withLock { $0 } == 1)
        try await server.channel.close()
    }

    @Test(arguments: [(500, "{}"), (200, "no keys"), (302, "{}"), (200, String(repeating: " ", count: 300_000))])
    func `an answer that is no key set leaves the gateway as it is`(status: Int, body: String) async throws {
        let server = try await KeyServer()
        server.answer.withLock { $0 = (status, body) }
        try await RunningGateway.run(outside(.url(server.url))) { gateway in
            let unknown = try await gateway.send("GET", "/api/exams", token: try Issuer().token("k1"))
            #expect(unknown.problem == "token-invalid")
            #expect(try await gateway.send("GET", "/api/exams").status == 200)
        }
        try await server.channel.close()
    }

    @Test func `files with keys are read anew when a token names a key nobody knows`() async throws {
        let issuer = Issuer()
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("keys-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = "\(directory)/jwks.json"
        try issuer.keySet("k1").write(toFile: path, atomically: true, encoding: .utf8)
        try await RunningGateway.run(outside(.file(path))) { gateway in
            #expect(try await gateway.send("GET", "/api/exams", token: try issuer.token("k1")).status == 200)
            #expect(try await gateway.send("GET", "/api/exams", token: try issuer.token("k2")).status == 401)
            try issuer.keySet("k2").write(toFile: path, atomically: true, encoding: .utf8)
            #expect(try await gateway.send("GET", "/api/exams", token: try issuer.token("k2")).status == 200)
            #expect(try await gateway.send("GET", "/api/exams", token: try issuer.token("k1")).status == 401)
            // What is no key set leaves those that are known.
            try "{}".write(toFile: path, atomically: true, encoding: .utf8)
            #expect(try await gateway.send("GET", "/api/exams", token: try issuer.token("k3")).status == 401)
            #expect(try await gateway.send("GET", "/api/exams", token: try issuer.token("k2")).status == 200)
        }
    }

    @Test func `secrets that were rotated sign and verify without a restart`() async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("keys-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let source = try TokenSecretSource(secret: nil, directory: directory)
        let first = try source.load()
        let tokens = try await TokenAuthority(secrets: first)
        let keys = TokenKeys(tokens: tokens, secrets: source, location: nil, logger: Self.logger)
        try await keys.load()
        let before = try await tokens.token(for: "li", role: .teacher, lifetime: 60)

        let second = try source.file.rotate(keeping: 1)
        let made = try await TokenAuthority(secrets: second).token(for: "li", role: .teacher, lifetime: 60)
        #expect(throws: TokenError.self) { try tokens.verify(made) }
        await keys.refresh(isUrgent: true)
        #expect(try tokens.verify(made).user == "li")
        #expect(try tokens.verify(before).user == "li")
        let after = try await tokens.token(for: "li", role: .teacher, lifetime: 60)
        #expect(try await TokenAuthority(secret: second[0]).verify(after).user == "li")

        _ = try source.file.rotate(keeping: 0)
        await keys.refresh(isUrgent: false)
        for token in [before, made, after] { #expect(throws: TokenError.self) { try tokens.verify(token) } }
    }

    @Test(arguments: [
        (["JWT_JWKS_FILE": "/a", "JWT_JWKS_URL": "https://b"], "JWT_JWKS_URL"),
        (["JWT_JWKS_URL": "https://b", "JWT_AUDIENCE": "x"], "JWT_ISSUER"),
        (["JWT_JWKS_FILE": "/a", "JWT_ISSUER": "x"], "JWT_AUDIENCE"),
        (["JWT_JWKS_FILE": "/a", "JWT_ISSUER": "zhiyue", "JWT_AUDIENCE": "x"], "JWT_ISSUER"),
        (["JWT_JWKS_URL": "http://id.school.cn/keys", "JWT_ISSUER": "x", "JWT_AUDIENCE": "y"], "JWT_JWKS_URL"),
        (["JWT_JWKS_URL": "ftp://127.0.0.1", "JWT_ISSUER": "x", "JWT_AUDIENCE": "y"], "JWT_JWKS_URL"),
        (["JWT_JWKS_URL": "keys", "JWT_ISSUER": "x", "JWT_AUDIENCE": "y"], "JWT_JWKS_URL"),
        (["JWT_SECRET": "s", "JWT_SECRET_FILE": "/a"], "JWT_SECRET_FILE"),
        (["JWT_SECRET_PREVIOUS": "s"], "JWT_SECRET_PREVIOUS"),
    ])
    func `a wrong setting is named`(environment: [String: String], name: String) {
        let error = #expect(throws: SettingsError.self) {
            try TokenConfiguration(reader: Self.reader(environment))
        }
        #expect(error?.name == name)
    }

    @Test func `settings say where claims are found`() throws {
        let configuration = try TokenConfiguration(
            reader: Self.reader([
                "JWT_JWKS_URL": "https://id.school.cn/keys", "JWT_ISSUER": "https://id.school.cn",
                "JWT_AUDIENCE": "marking", "JWT_ROLE_CLAIM": "realm_access.roles",
            ]))
        #expect(configuration.keySet == .url("https://id.school.cn/keys"))
        #expect(configuration.outside?.roleClaim == "realm_access.roles")
        #expect(configuration.outside?.userClaim == "sub")
    }

    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private static func reader(_ environment: [String: String]) -> SettingsReader {
        SettingsReader(
            config: ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: environment)))
    }

    private static func keys(_ location: KeySetLocation) async throws -> TokenKeys {
        let source = try TokenSecretSource(secret: RunningGateway.secret, directory: "/nowhere")
        let keys = TokenKeys(
            tokens: try await TokenAuthority(secrets: source.load()), secrets: source, location: location,
            logger: logger)
        try await keys.load()
        return keys
    }
}
