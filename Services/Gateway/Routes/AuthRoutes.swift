import Access
import Domain
import Hummingbird
import Logging

/// `POST /api/auth/token`: a name and a password for an access token.
struct AuthRoutes: Sendable {
    let signIn: SignIn
    let tokens: TokenAuthority
    /// Seconds a token is valid.
    let lifetime: Int

    func declare(in routes: RouteTable) {
        routes.open(.post, "/api/auth/token", use: token)
    }

    private struct Credentials: Decodable {
        var username: String
        var password: String
    }

    private struct Grant: Encodable {
        var accessToken: String
        var tokenType = "Bearer"
        var expiresIn: Int

        enum CodingKeys: String, CodingKey {
            case accessToken = "access_token"
            case tokenType = "token_type"
            case expiresIn = "expires_in"
        }
    }

    @Sendable
    private func token(request: Request, context: GatewayContext) async throws -> Response {
        let credentials = try await JSONBody.decode(Credentials.self, from: request, limit: 8192)
        guard let user = try await signIn.user(UserID(credentials.username), password: credentials.password) else {
            context.logger.notice("sign-in refused", metadata: ["user": "\(credentials.username.prefix(64))"])
            throw Authenticator.unauthorized("wrong-credentials", "User name or password is wrong.", challenge: nil)
        }
        let token = try await tokens.token(for: user.id, role: user.role, lifetime: lifetime)
        return try .json(Grant(accessToken: token, expiresIn: lifetime))
    }
}
