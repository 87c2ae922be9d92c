package import Domain
internal import Redis

extension ExamStore {
    /// - Returns: false when the user exists already; nothing is changed then.
    package func createUser(_ user: User) async throws -> Bool {
        let reply = try await client.send(["HSETNX", keys.global("users"), user.id.rawValue, try JSON.encode(user)])
        return reply.int == 1
    }

    package func user(_ id: UserID) async throws -> User? {
        let value = try await client.send(["HGET", keys.global("users"), id.rawValue])
        return value.isNull ? nil : try decode(User.self, value, of: "user \(id)")
    }
}
