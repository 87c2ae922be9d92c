import Access
import Accounts
import Domain
import HTTPTypes
import Hummingbird

/// Users, for administrators: create, list, read, change, remove, and void their sessions.
struct UserRoutes: Sendable {
    let accounts: Accounts
    let passwords: PasswordWork
    let revocations: RevocationList

    func declare(in routes: RouteTable) {
        routes.on(.post, "/api/users", allow: [.admin], use: create)
        routes.on(.get, "/api/users", allow: [.admin], use: list)
        routes.on(.get, "/api/users/{user}", allow: [.admin], use: show)
        routes.on(.patch, "/api/users/{user}", allow: [.admin], use: change)
        routes.on(.delete, "/api/users/{user}", allow: [.admin], use: remove)
        routes.on(.delete, "/api/users/{user}/sessions", allow: [.admin], use: revoke)
    }

    @Sendable
    private func create(_ call: Call) async throws -> Response {
        let draft = try await call.json(UserDraft.self, limit: 8192)
        try draft.check()
        let hash = try await passwords.hash(draft.password)
        let user = User(
            id: draft.id, role: draft.role, passwordHash: hash.text, createdAt: .now, studentID: draft.studentID)
        try await accounts.create(user, by: Author(call.eventContext))
        return try .json(
            UserDocument(user), status: .created, headers: [.location: "/api/users/\(user.id.rawValue)"])
    }

    @Sendable
    private func list(_ call: Call) async throws -> Response {
        let roles = Role.allCases.map(\.rawValue).joined(separator: ", ")
        let page = try await accounts.users(
            role: try call.query("role", "one of \(roles)", Role.init(rawValue:)), cursor: try call.cursor(),
            limit: try call.limit(max: 500))
        return try .json(ListDocument(items: page.users.map(UserDocument.init), nextCursor: page.nextCursor))
    }

    @Sendable
    private func show(_ call: Call) async throws -> Response {
        guard let user = try await accounts.user(call.userID) else { throw Problem.notFound("user", call.userID) }
        return try .json(UserDocument(user))
    }

    @Sendable
    private func change(_ call: Call) async throws -> Response {
        let patch = try await call.json(UserPatch.self, limit: 8192)
        guard try await accounts.user(call.userID) != nil else { throw Problem.notFound("user", call.userID) }
        var hash: PasswordHash?
        if let password = patch.password {
            try UserDraft.check(password, of: call.userID, at: "/password")
            hash = try await passwords.hash(password)
        }
        let (user, revocation) = try await accounts.change(call.userID, by: Author(call.eventContext)) { user in
            try patch.apply(to: &user)
            if let hash { user.passwordHash = hash.text }
        }
        if let revocation { revocations.apply(revocation) }
        return try .json(UserDocument(user))
    }

    @Sendable
    private func remove(_ call: Call) async throws -> Response {
        let revocation = try await accounts.remove(call.userID, by: Author(call.eventContext))
        if let revocation { revocations.apply(revocation) }
        return Response(status: .noContent)
    }

    /// For users of outside issuers too, so the name need not be known here.
    @Sendable
    private func revoke(_ call: Call) async throws -> Response {
        guard call.userID.isValid else { throw Problem.notFound("user", call.userID) }
        revocations.apply(try await accounts.revokeAll(of: call.userID, by: Author(call.eventContext)))
        return Response(status: .noContent)
    }
}

extension Call {
    var userID: UserID { UserID(parameter("user")) }
}
