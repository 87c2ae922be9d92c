import Access
import Domain
import HTTPTypes
import Hummingbird

/// Tells whose request it is, by the token in its `Authorization` header.
struct Authenticator: Sendable {
    let tokens: TokenAuthority
    let revocations: RevocationList
    let keys: TokenKeys
    private let known = VerifiedTokens()

    init(tokens: TokenAuthority, revocations: RevocationList, keys: TokenKeys) {
        self.tokens = tokens
        self.revocations = revocations
        self.keys = keys
    }

    /// - Throws: `Problem` with 401 and what RFC 6750 wants said.
    func bearer(of request: Request) async throws -> AccessClaims {
        guard let header = request.headers[.authorization] else {
            throw Self.unauthorized("token-missing", "Sign in: an access token is needed.", challenge: nil)
        }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else {
            throw Self.unauthorized(
                "token-missing", "Authorization must be: Bearer and an access token.", challenge: nil)
        }
        return try await bearer(of: String(parts[1]).trimmingBlanks())
    }

    /// - Throws: `Problem` with 401.
    func bearer(of token: String) async throws -> AccessClaims {
        do throws(TokenError) {
            return try await claims(of: token)
        } catch {
            let code = error.code == .expired ? "token-expired" : "token-invalid"
            throw Self.unauthorized(code, "The access token is not accepted: \(error).", challenge: error.message)
        }
    }

    /// What an access token says, if it is valid and not revoked.
    func claims(of token: String) async throws(TokenError) -> AccessClaims {
        let claims = try await known.claims(of: token, keys: tokens.generation, verify: verified)
        guard !revocations.isRevoked(claims) else { throw TokenError(.revoked, "the token has been revoked") }
        return claims
    }

    /// Looks for newer keys when a token names one that is not known.
    private func verified(_ token: String) async throws(TokenError) -> AccessClaims {
        do throws(TokenError) {
            return try tokens.verify(token)
        } catch {
            guard error.code == .unknownKey else { throw error }
        }
        await keys.refresh(isUrgent: true)
        return try tokens.verify(token)
    }

    static func unauthorized(_ code: String, _ detail: String, challenge: String?) -> Problem {
        let reason = challenge.map { #", error="invalid_token", error_description="\#($0)""# } ?? ""
        return Problem(
            .unauthorized, code, detail, headers: [.wwwAuthenticate: #"Bearer realm="zhiyue"\#(reason)"#])
    }
}
