internal import NIOSSL
package import ServiceKit

/// How webhooks are delivered, and where they may lead.
package struct WebhookConfiguration: Sendable {
    /// `WEBHOOK_ALLOW_HTTP`: addresses without TLS are taken.
    package var allowsHTTP = false
    /// `WEBHOOK_ALLOW_PRIVATE`: addresses of this machine and of private networks are connected to.
    package var allowsPrivate = false
    /// `WEBHOOK_CA_FILE`: certificates of authorities that are trusted besides the system's, in PEM.
    package var authorityFile: String?
    /// `WEBHOOK_TIMEOUT`: for one attempt, from the name of the host to the answer.
    package var timeout: Duration = .seconds(10)
    /// `WEBHOOK_RETRY_DELAY`: pauses before the second, third, … attempt; there is one attempt more than pauses.
    package var retryDelays: [Duration] = [10, 60, 300, 1800, 3600, 7200, 14_400].map { .seconds($0) }
    /// `WEBHOOK_CONCURRENCY`: deliveries of a notifier at a time.
    package var concurrency = 128
    /// Deliveries of a webhook at a time, where the operator has set no other limit of the queue.
    package var concurrencyPerWebhook = 4
    /// A webhook is disabled after so many attempts in a row that failed, if they took `failureSpan` or longer; and when
    /// one whole delivery and more has failed within `longestFailure` and nothing else has come through.
    package var maxFailures = 50
    package var failureSpan: Duration = .seconds(3600)
    package var longestFailure: Duration = .seconds(5 * 86_400)

    package init() {}

    private enum Switch: String, CaseIterable {
        case yes, no
    }

    /// - Throws: `SettingsError` naming the setting and what is expected.
    package init(reader: SettingsReader) throws {
        allowsHTTP = try reader.choice("WEBHOOK_ALLOW_HTTP", default: Switch.no) == .yes
        allowsPrivate = try reader.choice("WEBHOOK_ALLOW_PRIVATE", default: Switch.no) == .yes
        authorityFile = reader.text("WEBHOOK_CA_FILE")
        if let file = authorityFile, (try? NIOSSLCertificate.fromPEMFile(file))?.isEmpty != false {
            throw SettingsError(name: "WEBHOOK_CA_FILE", problem: "names \(file), which holds no certificate in PEM")
        }
        timeout = try reader.seconds("WEBHOOK_TIMEOUT", in: 0.1...60, default: timeout)
        retryDelays = try reader.secondsList("WEBHOOK_RETRY_DELAY", in: 0...86_400, default: retryDelays)
        concurrency = try reader.integer("WEBHOOK_CONCURRENCY", in: 1...10_000, default: concurrency)
        guard retryDelays.count <= 20 else {
            throw SettingsError(name: "WEBHOOK_RETRY_DELAY", problem: "has \(retryDelays.count) pauses; 20 at most")
        }
    }

    package var maxAttempts: Int { retryDelays.count + 1 }

    /// - Parameters:
    ///   - failures: attempts in a row that failed.
    ///   - span: from the first of them to now.
    package func isHopeless(failures: Int, span: Duration) -> Bool {
        failures >= maxFailures && span >= failureSpan || failures >= maxAttempts && span >= longestFailure
    }
}
