import Access
import Accounts
import Audit
import Domain
import Foundation
import Redis
import Testing

@Suite struct UserCommandTests {
    @Test func `users are added, listed, changed and removed, and all of it is noted`() async throws {
        let system = try await CommandSystem()
        let added = try await system.zhiyue("users", "add", "root", "--role", "admin")
        #expect(added.status == 0, "\(added.errors)")
        #expect(added.lines.count == 1)
        #expect(added.lines.first?.count == 20)
        let given = try await system.zhiyue(
            "users", "add", "wang", "--role", "student", "--student-id", "0042", "--password-stdin",
            input: "correct horse\n")
        #expect(given.status == 0, "\(given.errors)")
        #expect(given.output.isEmpty)

        let accounts = Accounts(client: system.client, keys: RedisKeys())
        let first = try #require(try await accounts.user("wang"))
        #expect(first.passwordHash.hasPrefix("scrypt$"))
        #expect(try await system.zhiyue("users", "disable", "wang").status == 0)
        let list = try await system.zhiyue("users", "list", "--json")
        #expect(list.objects.compactMap { $0["id"] as? String } == ["root", "wang"])
        #expect(list.objects.compactMap { $0["disabled"] as? Bool } == [false, true])
        #expect(!list.output.contains("scrypt"))
        #expect(try await system.zhiyue("users", "enable", "wang").status == 0)
        #expect(try await system.zhiyue("users", "password", "wang").lines.count == 1)
        #expect(try await accounts.user("wang")?.passwordHash != first.passwordHash)
        #expect(try await system.zhiyue("users", "sessions", "revoke", "wang").status == 0)
        #expect(try await system.zhiyue("users", "remove", "wang").status == 0)
        #expect(try await accounts.user("wang") == nil)

        let audit = try await system.zhiyue("audit", "export")
        #expect(
            audit.objects.compactMap { $0["action"] as? String } == [
                "user.created", "user.created", "user.changed", "user.changed", "user.changed", "sessions.revoked",
                "user.removed", "audit.exported",
            ])
        #expect(audit.objects.allSatisfy { ($0["actor"] as? String)?.hasPrefix("os:") == true })
        #expect(!audit.output.contains("correct horse"))
    }

    @Test func `a user who is locked after too many failures is let in again`() async throws {
        let system = try await CommandSystem()
        let secret = String(repeating: "0123456789abcdef", count: 2)
        let environment = ["JWT_SECRET": secret]
        #expect(try await system.zhiyue("users", "add", "li", "--role", "teacher").status == 0)
        let accounts = Accounts(client: system.client, keys: RedisKeys())
        var limits = SignInLimits()
        limits.failuresPerUser = 1
        let attempt = SignInAttempt(nameDigest: try TokenSecret(secret).digest(of: "li"), network: "127.0.0.1")
        #expect(try await accounts.begin(attempt, limits: limits) == nil)
        #expect(try await accounts.begin(attempt, limits: limits) != nil)
        let unlocked = try await system.zhiyue("users", "unlock", "li", environment: environment)
        #expect(unlocked.status == 0, "\(unlocked.errors)")
        #expect(try await accounts.begin(attempt, limits: limits) == nil)
        let unknown = try await system.zhiyue("users", "unlock", "nobody", environment: environment)
        #expect(unknown.status == 1)
        #expect(unknown.errors.contains("there is no user nobody"))
    }

    @Test func `what cannot be is refused with a line that says why`() async throws {
        let system = try await CommandSystem()
        #expect(try await system.zhiyue("users", "add", "a b", "--role", "teacher").status == 2)
        #expect(
            try await system.zhiyue("users", "add", "li", "--role", "teacher", "--student-id", "1").status == 2)
        let short = try await system.zhiyue(
            "users", "add", "li", "--role", "teacher", "--password-stdin", input: "short\n")
        #expect(short.status == 1)
        #expect(short.errors.contains("8 characters"))
        let none = try await system.zhiyue("users", "add", "li", "--role", "teacher", "--password-stdin")
        #expect(none.status == 1)
        let unknown = try await system.zhiyue("users", "disable", "nobody")
        #expect(unknown.status == 1)
        #expect(unknown.errors.contains("there is no user nobody"))
        _ = try await system.zhiyue("users", "add", "root", "--role", "admin")
        #expect(try await system.zhiyue("users", "remove", "root").errors.contains("only administrator"))
    }
}

@Suite struct KeyCommandTests {
    @Test func `secrets are rotated by name, never shown, and noted`() async throws {
        let system = try await CommandSystem()
        let directory = try TemporaryDirectory()
        let first = try await system.zhiyue("keys", "list", "--data", directory.path, "--json")
        #expect(first.objects.count == 1)
        let rotated = try await system.zhiyue("keys", "rotate", "--data", directory.path, "--json")
        #expect(rotated.status == 0, "\(rotated.errors)")
        #expect(rotated.objects.compactMap { $0["signs"] as? Bool } == [true, false])
        #expect(rotated.objects.last?["kid"] as? String == first.objects.first?["kid"] as? String)
        let secrets = try String(contentsOfFile: "\(directory.path)/jwt-secret", encoding: .utf8).split(separator: "\n")
        #expect(secrets.count == 2)
        for secret in secrets { #expect(!rotated.output.contains(secret)) }
        #expect(try await system.zhiyue("keys", "rotate", "--keep", "0", "--data", directory.path).lines.count == 1)
        #expect(try await system.zhiyue("audit", "list", "--action", "keys.rotated", "--json").objects.count == 2)

        let given = try await system.zhiyue(
            "keys", "rotate", environment: ["JWT_SECRET": "a secret of the tests, 32 bytes or more"])
        #expect(given.status == 1)
        #expect(given.errors.contains("JWT_SECRET_PREVIOUS"))
        #expect(try await system.zhiyue("keys", "rotate", "--keep", "8").status == 2)
    }
}
