import Access
import Accounts
import Audit
import Domain
import HTTPTypes
import Hummingbird
import Logging

/// Signing in and out: `POST /api/auth/token`, `/refresh`, `/logout`, and `/password`, another password for oneself.
struct AuthRoutes: Sendable {
    let signIn: SignIn
    let sessions: Sessions
    let authenticator: Authenticator
    let audit: AuditLog

    func declare(in routes: RouteTable) {
        routes.open(
            .post, "/api/auth/token",
            Operation(
                "A name and a password for an access token.",
                body: .json(.object("Credentials", ["username": .string, "password": .string])), .json(.grant),
                problems: [.unauthorized]),
            use: token)
        routes.open(
            .post, "/api/auth/refresh",
            Operation(
                "A refresh token for a new access token and a new refresh token.",
                detail:
                    "Each refresh token is good once, and for some seconds more, should the answer be lost; a second use "
                    + "after that voids the session.",
                body: .json(.refreshRequest), .json(.grant), problems: [.unauthorized]),
            use: refresh)
        routes.open(
            .post, "/api/auth/logout",
            Operation(
                "Voids the session of a refresh token, of the access token in the header, or of both.",
                body: .json(.refreshRequest), .empty(.noContent, "They are void."), problems: [.unauthorized]),
            use: logout)
        routes.on(
            .post, "/api/auth/password", allow: .everyone,
            Operation(
                "Changes one's own password.", detail: "Voids all sessions of the user and answers new tokens.",
                body: .json(.object("PasswordChange", ["old_password": .string, "new_password": .string])),
                .json(.grant)),
            use: changePassword)
    }

    private struct Credentials: Decodable {
        var username: String
        var password: String
    }

    @Sendable
    private func token(request: Request, context: GatewayContext) async throws -> Response {
        let credentials = try await JSONBody.decode(Credentials.self, from: request, limit: 8192)
        let id = UserID(credentials.username)
        let user = try await user(id, credentials.password, context)
        try await record(
            .signedIn, id, context, details: ["role": user.role.rawValue, "seconds": "\(sessions.tokenLifetime)"])
        guard let grant = try await sessions.open(for: user) else { throw Self.wrongCredentials }
        return try .json(grant)
    }

    private func user(_ id: UserID, _ password: String, _ context: GatewayContext) async throws -> User {
        let outcome: SignIn.Outcome
        do {
            outcome = try await signIn.check(id, password: password, from: context.address)
        } catch let problem as Problem where problem.status == .tooManyRequests {
            try await record(.signInRefused, nil, context, details: ["reason": "too many failures"])
            throw problem
        }
        switch outcome {
        case .accepted(let user):
            return user
        case .refused(let reason, let isKnownUser):
            // A name nobody has may be a password in the wrong field: it is written nowhere.
            context.logger.notice("sign-in refused", metadata: ["user": "\(isKnownUser ? id.rawValue : "unknown")"])
            try await record(.signInRefused, isKnownUser ? id : nil, context, details: ["reason": reason.rawValue])
            throw Self.wrongCredentials
        }
    }

    private struct RefreshRequest: Decodable {
        var refreshToken: String

        enum CodingKeys: String, CodingKey {
            case refreshToken = "refresh_token"
        }
    }

    @Sendable
    private func refresh(request: Request, context: GatewayContext) async throws -> Response {
        let body = try await JSONBody.decode(RefreshRequest.self, from: request, limit: 8192)
        guard let token = RefreshToken(body.refreshToken) else { throw Self.wrongRefreshToken }
        switch try await sessions.refresh(token) {
        case .granted(let grant):
            return try .json(grant)
        case .reused(let user):
            context.logger.warning("a refresh token came a second time", metadata: ["user": "\(user)"])
            try await record(.sessionReused, user, context, details: ["session": token.session])
            throw Self.wrongRefreshToken
        case .none:
            throw Self.wrongRefreshToken
        }
    }

    /// Voids the session of the refresh token in the body, of the access token in the header, or of both. What is void
    /// already is no error (RFC 7009).
    @Sendable
    private func logout(request: Request, context: GatewayContext) async throws -> Response {
        var users: Set<UserID> = []
        if request.headers[.contentType] != nil || request.headers[.authorization] == nil {
            let body = try await JSONBody.decode(RefreshRequest.self, from: request, limit: 8192)
            if let token = RefreshToken(body.refreshToken), try await sessions.close(token) {
                users.insert(token.user)
            }
        }
        if request.headers[.authorization] != nil {
            let bearer = try await authenticator.bearer(of: request)
            try await sessions.close(bearer)
            users.insert(bearer.user)
        }
        for user in users { try await record(.signedOut, user, context, details: [:]) }
        return Response(status: .noContent)
    }

    private struct PasswordChange: Decodable {
        var oldPassword: String
        var newPassword: String

        enum CodingKeys: String, CodingKey {
            case oldPassword = "old_password"
            case newPassword = "new_password"
        }
    }

    /// Voids all sessions and tokens of the user; the answer has new ones.
    @Sendable
    private func changePassword(_ call: Call) async throws -> Response {
        let change = try await call.json(PasswordChange.self, limit: 8192)
        let id = call.bearer.user
        let outcome = try await signIn.check(id, password: change.oldPassword, from: call.context.address)
        guard case .accepted(let user) = outcome else {
            try await record(.signInRefused, id, call.context, details: ["reason": "wrong old password"])
            throw Problem.forbidden("The old password is wrong.")
        }
        try UserDraft.check(change.newPassword, of: id, at: "/new_password")
        let hash = try await signIn.passwords.hash(change.newPassword)
        let (changed, revocation) = try await signIn.accounts.change(id, by: Author(call.eventContext)) { current in
            guard current.passwordHash == user.passwordHash, !current.isDisabled else {
                throw Problem.forbidden("The old password is wrong by now.")
            }
            current.passwordHash = hash.text
        }
        if let revocation { sessions.revocations.apply(revocation) }
        guard let grant = try await sessions.open(for: changed) else { throw Self.wrongCredentials }
        return try .json(grant)
    }

    private func record(
        _ action: AuditAction, _ user: UserID?, _ context: GatewayContext, details: [String: String]
    ) async throws {
        try await audit.append(
            AuditEntry(
                action, actor: user?.rawValue, address: context.address, source: "/zhiyue/gateway",
                subject: user.map { "user/\($0)" } ?? "user", correlationID: context.correlationID, details: details))
    }

    private static var wrongCredentials: Problem {
        Authenticator.unauthorized("wrong-credentials", "User name or password is wrong.", challenge: nil)
    }

    private static var wrongRefreshToken: Problem {
        Authenticator.unauthorized(
            "refresh-token-invalid", "The refresh token is not valid, or not any more: sign in again.", challenge: nil)
    }
}
