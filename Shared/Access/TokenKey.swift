internal import JWTKit

/// A key that tokens are checked with: one algorithm, whatever a token's header asks for.
struct TokenKey: Sendable {
    /// What tokens name it by (`kid`).
    let id: String
    /// Knows the algorithm and its name.
    private let algorithm: any JWTAlgorithm

    /// `HS256`, `RS256`, `ES256` or `EdDSA`.
    var algorithmName: String { algorithm.name }

    /// One of this system's own.
    init(_ secret: TokenSecret) async throws {
        self.init(
            id: secret.keyID,
            algorithm: try await JWTKeyCollection().add(hmac: HMACKey(from: secret.bytes), digestAlgorithm: .sha256)
                .getKey())
    }

    init(id: String, rsaModulus modulus: String, exponent: String) async throws {
        let key = try Insecure.RSA.PublicKey(modulus: modulus, exponent: exponent)
        self.init(
            id: id, algorithm: try await JWTKeyCollection().add(rsa: key, digestAlgorithm: .sha256).getKey())
    }

    init(id: String, p256 coordinates: (x: String, y: String)) async throws {
        let key = try ES256PublicKey(parameters: coordinates)
        self.init(id: id, algorithm: try await JWTKeyCollection().add(ecdsa: key).getKey())
    }

    init(id: String, ed25519 point: String) async throws {
        let key = try EdDSA.PublicKey(x: point, curve: .ed25519)
        self.init(id: id, algorithm: try await JWTKeyCollection().add(eddsa: key).getKey())
    }

    private init(id: String, algorithm: any JWTAlgorithm) {
        self.id = id
        self.algorithm = algorithm
    }

    func hasSigned(_ token: SignedToken) -> Bool {
        token.algorithm == algorithmName && (try? algorithm.verify(token.signature, signs: token.signedBytes)) == true
    }
}
