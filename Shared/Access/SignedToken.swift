internal import Domain
internal import FoundationEssentials

/// The parts of a JSON Web Token in its compact form, unchecked but for their form.
struct SignedToken: Sendable {
    /// Longer tokens are refused unread.
    static let maxBytes = 8192

    /// `alg` of the header.
    let algorithm: String
    /// `kid` of the header.
    let keyID: String?
    let payload: [UInt8]
    let signature: [UInt8]
    let signedBytes: [UInt8]

    private struct Header: Decodable {
        var alg: String
        var kid: String?
        var crit: [String]?
    }

    init(_ text: String) throws(TokenError) {
        guard text.utf8.count <= Self.maxBytes else { throw TokenError(.malformed, "the token is too long") }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Data(base64URL: parts[0]), let payload = Data(base64URL: parts[1]),
            let signature = Data(base64URL: parts[2]), let fields = try? JSON.decode(Header.self, from: header)
        else { throw TokenError(.malformed, "the token is malformed") }
        guard fields.crit == nil else {
            throw TokenError(.badSignature, "the token asks for what this system does not know (crit)")
        }
        algorithm = fields.alg
        keyID = fields.kid
        self.payload = [UInt8](payload)
        self.signature = [UInt8](signature)
        signedBytes = Array(text.utf8.prefix(parts[0].utf8.count + 1 + parts[1].utf8.count))
    }
}
