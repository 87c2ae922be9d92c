import Access
import Domain
import HTTPTypes
import Hummingbird

/// Tells whose request it is, by the token in its `Authorization` header.
struct Authenticator: Sendable {
    let tokens: TokenAuthority
    private let verified = VerifiedTokens()

    init(tokens: TokenAuthority) {
        self.tokens = tokens
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
        do throws(TokenError) {
            return try await verified.claims(of: String(parts[1]).trimmingBlanks(), verify: tokens.verify)
        } catch {
            let code = error.code == .expired ? "token-expired" : "token-invalid"
            throw Self.unauthorized(code, "The access token is not accepted: \(error).", challenge: error.message)
        }
    }

    static func unauthorized(_ code: String, _ detail: String, challenge: String?) -> Problem {
        let reason = challenge.map { #", error="invalid_token", error_description="\#($0)""# } ?? ""
        return Problem(
            .unauthorized, code, detail, headers: [.wwwAuthenticate: #"Bearer realm="zhiyue"\#(reason)"#])
    }
}
