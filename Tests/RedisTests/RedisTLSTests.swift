import Foundation
import TestSupport
import Testing

@testable import Redis

/// TLS against a real server with a certificate made by the `openssl` command for the name `localhost`.
@Suite(.enabled(if: Certificate.canBeMade)) struct RedisTLSTests {
    @Test func aTrustedServerIsTalkedToAndAnotherIsNot() async throws {
        let certificate = try Certificate()
        let port = try RedisServer.freePort()
        let server = try RedisServer(arguments: [
            "--tls-port", "\(port)", "--tls-cert-file", certificate.file, "--tls-key-file", certificate.keyFile,
            "--tls-auth-clients", "no",
        ])
        defer { server.stop() }
        try await withClient(url: "rediss://localhost:\(port)?cacert=\(certificate.file)") { client async throws in
            let bytes = [UInt8](repeating: 7, count: 300_000)
            _ = try await client.send(["SET", "k", bytes])
            #expect(try await client.send(["GET", "k"]).bytes == bytes)
        }
        let untrusted = await failure {
            try await withClient(url: "rediss://localhost:\(port)") {
                $0.commandTimeout = .seconds(1)
            } _: {
                try await $0.send(["PING"])
            }
        }
        #expect(untrusted?.code == .notSent)
        #expect("\(untrusted.map { "\($0)" } ?? "")".contains("CERTIFICATE_VERIFY_FAILED"))
        let misnamed = await failure {
            try await withClient(url: "rediss://127.0.0.1:\(port)?cacert=\(certificate.file)") {
                $0.commandTimeout = .seconds(1)
            } _: {
                try await $0.send(["PING"])
            }
        }
        #expect(misnamed?.code == .notSent)
        #expect("\(misnamed.map { "\($0)" } ?? "")".contains("127.0.0.1"))
    }

    @Test func authoritiesThatCannotBeReadAreAConfigurationError() async throws {
        let error = await failure {
            try await withClient(url: "rediss://localhost?cacert=/no/such.pem") { try await $0.send(["PING"]) }
        }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("/no/such.pem") == true)
    }
}
