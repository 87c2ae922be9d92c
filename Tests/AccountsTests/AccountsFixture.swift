import Audit
import Domain
import Logging
import Redis
import TestSupport
import Testing

@testable import Accounts

/// Accounts of their own, on a Redis server that all tests share.
struct AccountsFixture: Sendable {
    static let server = Result { try RedisServer() }
    static let author = Author(actor: "root", address: "::1", source: "/test", correlationID: "chain")

    let client: RedisClient
    let keys: RedisKeys
    let accounts: Accounts

    init() throws {
        client = try RedisClient(
            configuration: RedisConfiguration(url: Self.server.get().url),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        keys = RedisKeys(prefix: "t\(UInt64.random(in: 0...(.max)))")
        accounts = Accounts(client: client, keys: keys)
    }

    func create(_ id: UserID, _ role: Role = .teacher, studentID: String? = nil) async throws {
        try await accounts.create(
            User(id: id, role: role, passwordHash: "hash of \(id)", createdAt: .now, studentID: studentID),
            by: Self.author)
    }

    func change(_ id: UserID, _ body: (inout User) throws -> Void) async throws -> (User, Revocation?) {
        try await accounts.change(id, by: Self.author, body)
    }

    func audit() async throws -> [AuditEntry] {
        try await AuditLog(client: client, keys: keys, partitions: 2).list(AuditQuery()).records.map(\.entry)
    }

    /// By the clock of the server.
    func now() async throws -> Timestamp {
        let parts = try #require(try await client.send(["TIME"]).array)
        let (seconds, microseconds) = (try #require(parts[0].int), try #require(parts[1].int))
        return Timestamp(milliseconds: Int64(seconds) * 1000 + Int64(microseconds) / 1000)
    }
}

/// Runs `body`, which must fail with `code`.
func expect(
    _ code: AccountsError.Code, _ location: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async {
    do {
        try await body()
        Issue.record("nothing was refused", sourceLocation: location)
    } catch {
        #expect((error as? AccountsError)?.code == code, "\(error)", sourceLocation: location)
    }
}
