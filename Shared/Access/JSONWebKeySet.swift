internal import Domain

/// The public keys of an outside issuer (RFC 7517): those of RS256, ES256 and EdDSA that have a `kid`; others are passed
/// over, shared secrets (`oct`) always.
package struct JSONWebKeySet: Sendable {
    package static let maxBytes = 256 << 10
    static let maxKeys = 100

    let keys: [String: TokenKey]

    package var count: Int { keys.count }

    private struct Document: Decodable {
        var keys: [Entry]
    }

    private struct Entry: Decodable {
        var kty: String
        var kid: String?
        var use: String?
        var alg: String?
        var crv: String?
        var x: String?
        var y: String?
        var n: String?
        var e: String?
    }

    /// - Throws: `TokenSecretError` when `bytes` are no such set, or hold no key that can be used.
    package init(_ bytes: [UInt8]) async throws(TokenSecretError) {
        guard bytes.count <= Self.maxBytes, let document = try? JSON.decode(Document.self, from: bytes) else {
            throw TokenSecretError("it is no JSON Web Key Set of \(Self.maxBytes) bytes or less")
        }
        var keys: [String: TokenKey] = [:]
        for entry in document.keys.prefix(Self.maxKeys) {
            // Of two keys with one name the first counts: which one signs must never be the token's choice.
            guard let id = entry.kid, !id.isEmpty, keys[id] == nil, entry.use ?? "sig" == "sig" else { continue }
            keys[id] = try? await Self.key(id, entry)
        }
        guard !keys.isEmpty else {
            throw TokenSecretError("it holds no key of RS256, ES256 or EdDSA that has a kid")
        }
        self.keys = keys
    }

    private static func key(_ id: String, _ entry: Entry) async throws -> TokenKey? {
        switch (entry.kty, entry.alg, entry.crv) {
        case ("RSA", nil, _), ("RSA", "RS256", _):
            guard let n = entry.n, let e = entry.e else { return nil }
            return try await TokenKey(id: id, rsaModulus: n, exponent: e)
        case ("EC", nil, "P-256"), ("EC", "ES256", "P-256"):
            guard let x = entry.x, let y = entry.y else { return nil }
            return try await TokenKey(id: id, p256: (x, y))
        case ("OKP", nil, "Ed25519"), ("OKP", "EdDSA", "Ed25519"), ("OKP", "Ed25519", "Ed25519"):
            guard let x = entry.x else { return nil }
            return try await TokenKey(id: id, ed25519: x)
        default:
            return nil
        }
    }
}
