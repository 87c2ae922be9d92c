import Access
import Audit
import Domain
import Hummingbird
import Logging

/// `POST /api/auth/token`: a name and a password for an access token.
struct AuthRoutes: Sendable {
    let signIn: SignIn
    let tokens: TokenAuthority
    let audit: AuditLog
    /// Seconds a token is valid.
    let lifetime: Int

    func declare(in routes: RouteTable) {
        routes.open(
            .post, "/api/auth/token",
            Operation(
                "A name and a password for an access token.",
                body: .json(.object("Credentials", ["username": .string, "password": .string])),
                .json(
                    .object(
                        "Grant",
                        ["access_token": .string, "token_type": .choice(["Bearer"]), "expires_in": .integer])),
                problems: [.unauthorized]),
            use: token)
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
        let id = UserID(credentials.username)
        let user: User
        switch try await signIn.check(id, password: credentials.password) {
        case .accepted(let known):
            user = known
            try await record(.signedIn, id, context, details: ["role": user.role.rawValue, "seconds": "\(lifetime)"])
        case .refused(let isKnownUser):
            // A name nobody has may be a password in the wrong field: it is written nowhere.
            context.logger.notice("sign-in refused", metadata: ["user": "\(isKnownUser ? id.rawValue : "unknown")"])
            try await record(
                .signInRefused, isKnownUser ? id : nil, context,
                details: ["reason": isKnownUser ? "wrong password" : "unknown user"])
            throw Authenticator.unauthorized("wrong-credentials", "User name or password is wrong.", challenge: nil)
        }
        let token = try await tokens.token(for: user.id, role: user.role, lifetime: lifetime)
        return try .json(Grant(accessToken: token, expiresIn: lifetime))
    }

    private func record(
        _ action: AuditAction, _ user: UserID?, _ context: GatewayContext, details: [String: String]
    ) async throws {
        try await audit.append(
            AuditEntry(
                action, actor: user?.rawValue, address: context.address, source: "/zhiyue/gateway",
                subject: user.map { "user/\($0)" } ?? "user", correlationID: context.correlationID, details: details))
    }
}
