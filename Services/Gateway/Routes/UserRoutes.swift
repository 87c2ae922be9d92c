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
    let guarding: SignInGuard

    func declare(in routes: RouteTable) {
        routes.on(
            .post, "/api/users", allow: [.admin],
            Operation(
                "Adds a user.", body: .json(.userDraft),
                .json(.user, .created, headers: [.location: "Where it is."]), problems: [.conflict],
                repetition: .byHandler),
            use: create)
        routes.on(
            .get, "/api/users", allow: [.admin],
            Operation(
                "Lists users by name.",
                parameters: [
                    .query("role", .choice(of: Role.self), "Of this role only."), .cursor, .limit(max: 500),
                ], .json(.list(of: .user))),
            use: list)
        routes.on(
            .get, "/api/users/{user}", allow: [.admin], Operation("Shows a user.", .json(.user)), use: show)
        routes.on(
            .patch, "/api/users/{user}", allow: [.admin],
            Operation(
                "Changes a user; what is absent stays.",
                detail: "Another role or password, or being disabled, voids its sessions.", body: .json(.userPatch),
                .json(.user), problems: [.conflict]),
            use: change)
        routes.on(
            .delete, "/api/users/{user}", allow: [.admin],
            Operation("Removes a user.", detail: "The last administrator stays.", .deleted, problems: [.conflict]),
            use: remove)
        routes.on(
            .delete, "/api/users/{user}/sessions", allow: [.admin],
            Operation("Voids all tokens of a user.", .empty(.noContent, "They are void.")),
            use: revoke)
        routes.on(
            .post, "/api/users/{user}/unlock", allow: [.admin],
            Operation(
                "Lets a user sign in again after too many failures.",
                detail: "An address from which too many have failed stays locked until its time is over.",
                .empty(.noContent, "The failures are forgotten.")),
            use: unlock)
    }

    @Sendable
    private func create(_ call: Call) async throws -> Response {
        let draft = try await call.json(UserDraft.self, limit: 8192)
        try draft.check()
        // Not by the password: a digest of it would be kept with the answer.
        return try await call.once(
            [draft.id.rawValue, draft.role.rawValue, draft.studentID ?? ""].map { Array($0.utf8) }
        ) {
            try await create(draft, $0)
        }
    }

    private func create(_ draft: UserDraft, _ call: Call) async throws -> Response {
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

    @Sendable
    private func unlock(_ call: Call) async throws -> Response {
        guard try await accounts.user(call.userID) != nil else { throw Problem.notFound("user", call.userID) }
        try await guarding.unlock(call.userID, by: Author(call.eventContext))
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
