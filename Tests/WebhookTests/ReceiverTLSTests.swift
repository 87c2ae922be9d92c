import Configuration
import Domain
import ServiceKit
import TestSupport
import Testing

@testable import Webhooks

/// Receivers with TLS, as all are whom an operator has not excepted.
@Suite(.enabled(if: Certificate.canBeMade)) struct ReceiverTLSTests {
    private func webhook(_ port: Int, host: String = "localhost") -> Webhook {
        Webhook(
            id: "wh_1", url: "https://\(host):\(port)/hook", eventTypes: [], examIDs: [], description: nil,
            owner: "zhang", ownerRole: .teacher, secret: .make(), createdAt: .now)
    }

    private func sender(trusting certificate: Certificate?) -> WebhookSender {
        var configuration = WebhookConfiguration()
        configuration.allowsPrivate = true
        configuration.authorityFile = certificate?.file
        return WebhookSender(configuration: configuration)
    }

    @Test func `events come to a receiver whose authority is trusted`() async throws {
        let certificate = try Certificate()
        let receiver = try await WebhookReceiver(certificate: certificate)
        let sender = sender(trusting: certificate)
        let webhook = webhook(receiver.port)
        for number in 0..<5 {
            let answer = await sender.send(Array("{}".utf8), id: "\(number)", to: webhook)
            #expect(answer.result == .status(204))
        }
        #expect(receiver.deliveries.map(\.id) == (0..<5).map { "\($0)" })
        #expect(receiver.deliveries.allSatisfy { $0.isSigned(with: webhook.secret) })
    }

    @Test func `nothing is sent to whom nobody vouches for, or whose certificate is another's`() async throws {
        let (certificate, foreign) = (try Certificate(), try Certificate(for: "elsewhere.example"))
        for (shown, trusted) in [(certificate, nil), (foreign, foreign)] {
            let receiver = try await WebhookReceiver(certificate: shown)
            let answer = await sender(trusting: trusted).send([], id: "1", to: webhook(receiver.port))
            #expect(answer.result == .fault(.untrusted))
            #expect(receiver.deliveries.isEmpty)
        }
        // One that is known by its address only is not known by the name in its certificate.
        let receiver = try await WebhookReceiver(certificate: certificate)
        let answer = await sender(trusting: certificate).send(
            [], id: "1", to: webhook(receiver.port, host: "127.0.0.1"))
        #expect(answer.result == .fault(.untrusted))
    }

    @Test func `a receiver without TLS is not spoken to as if it had it`() async throws {
        let receiver = try await WebhookReceiver()
        let answer = await sender(trusting: nil).send([], id: "1", to: webhook(receiver.port))
        #expect(answer.result == .fault(.untrusted))
        #expect(receiver.deliveries.isEmpty)
    }

    @Test func `a file that holds no certificate is an error of the settings`() throws {
        let certificate = try Certificate()
        func authorityFile(_ path: String) throws -> String? {
            let provider = EnvironmentVariablesProvider(environmentVariables: ["WEBHOOK_CA_FILE": path])
            return try WebhookConfiguration(reader: SettingsReader(config: ConfigReader(provider: provider)))
                .authorityFile
        }
        #expect(try authorityFile(certificate.file) == certificate.file)
        for path in ["/no/such.pem", certificate.keyFile] {
            let error = #expect(throws: SettingsError.self) { try authorityFile(path) }
            #expect("\(error as Any)".contains(path))
        }
    }
}
