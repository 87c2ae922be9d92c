internal import Access
internal import Domain
internal import FoundationEssentials
internal import ServiceKit

/// The gateway of a bench.
struct BenchGateway {
    let process: ChildProcess
    let port: Int
    let token: String

    init(_ server: BenchServer) async throws {
        port = try ListeningPort.check(host: "127.0.0.1", port: 0)
        let secret = (0..<32).map { _ in String(UInt8.random(in: 16...255), radix: 16) }.joined()
        token = try await TokenAuthority(secret: TokenSecret(secret)).token(
            for: "bench", role: .admin, lifetime: 86_400)
        process = try server.process(
            "gateway", executable: "\(try OwnExecutable.directory())/gateway",
            environment: [
                "REDIS_URL": server.url, "DATA_DIR": server.path, "HTTP_PORT": "\(port)", "JWT_SECRET": secret,
                "WEBSOCKET_MAX_CONNECTIONS_PER_USER": "1000000", "LOG_LEVEL": "warning",
            ])
    }

    var url: String { "http://127.0.0.1:\(port)" }

    /// Of the running process.
    var resources: ProcessResources { ProcessResources([process.identifier].compactMap(\.self)) }
}
