internal import Crypto
internal import FoundationEssentials

/// What deliveries of a webhook are signed with, as Standard Webhooks writes it: `whsec_` and 32 bytes in base64. Does not
/// show itself where it is printed.
package struct WebhookSecret: Equatable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// For the owner, and for the record.
    package let text: String

    /// - Parameter text: as `text` was.
    package init(_ text: String) {
        self.text = text
    }

    package static func make() -> WebhookSecret {
        let key = SymmetricKey(size: .bits256)
        return WebhookSecret(prefix + key.withUnsafeBytes { Data($0) }.base64EncodedString())
    }

    package var description: String { "whsec_…" }
    package var debugDescription: String { description }

    private static let prefix = "whsec_"

    /// `v1,<base64>` over `<id>.<timestamp>.<body>`.
    ///
    /// - Parameter timestamp: seconds since 1970.
    package func signature(id: String, timestamp: Int64, body: [UInt8]) -> String {
        let bytes = Data(base64Encoded: String(text.dropFirst(Self.prefix.count))) ?? Data(text.utf8)
        var hmac = HMAC<SHA256>(key: SymmetricKey(data: bytes))
        hmac.update(data: Data("\(id).\(timestamp).".utf8))
        hmac.update(data: Data(body))
        return "v1," + Data(hmac.finalize()).base64EncodedString()
    }
}

extension WebhookSecret: Codable {
    package init(from decoder: any Decoder) throws {
        text = try decoder.singleValueContainer().decode(String.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
