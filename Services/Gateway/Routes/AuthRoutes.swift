import Access
import Accounts
import Audit
import Domain
import Hummingbird
import Logging

/// `POST /api/auth/token`: a name and a password for an access token. `POST /api/auth/password`: another password for
/// oneself.
struct AuthRoutes: Sendable {
    let signIn: SignIn
    let tokens: TokenAuthority
    let audit: AuditLog
    /// Seconds a token is valid.
    let lifetime: Int

    func declare(in routes: RouteTable) {
        routes.open(.post, "/api/auth/token", use: token)
        routes.on(.post, "/api/auth/password", allow: .everyone, use: changePassword)
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
        case .refused(let reason, let isKnownUser):
            // A name nobody has may be a password in the wrong field: it is written nowhere.
            context.logger.notice("sign-in refused", metadata: ["user": "\(isKnownUser ? id.rawValue : "unknown")"])
            try await record(.signInRefused, isKnownUser ? id : nil, context, details: ["reason": reason.rawValue])
            throw Authenticator.unauthorized("wrong-credentials", "User name or password is wrong.", challenge: nil)
        }
        let token = try await tokens.token(for: user.id, role: user.role, lifetime: lifetime)
        return try .json(Grant(accessToken: token, expiresIn: lifetime))
    }

    private struct PasswordChange: Decodable {
        var oldPassword: String
        var newPassword: String

        enum CodingKeys: String, CodingKey {
            case oldPassword = "old_password"
            case newPassword = "new_password"
        }
    }

    @Sendable
    private func changePassword(_ call: Call) async throws -> Response {
        let change = try await call.json(PasswordChange.self, limit: 8192)
        let id = call.bearer.user
        guard case .accepted(let user) = try await signIn.check(id, password: change.oldPassword) else {
            try await record(.signInRefused, id, call.context, details: ["reason": "wrong old password"])
            throw Problem.forbidden("The old password is wrong.")
        }
        try UserDraft.check(change.newPassword, of: id, at: "/new_password")
        let hash = try await signIn.passwords.hash(change.newPassword)
        _ = try await signIn.accounts.change(id, by: Author(call.eventContext)) { current in
            guard current.passwordHash == user.passwordHash, !current.isDisabled else {
                throw Problem.forbidden("The old password is wrong by now.")
            }
            current.passwordHash = hash.text
        }
        return Response(status: .noContent)
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
