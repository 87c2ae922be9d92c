import Audit
import Domain
import EventBus
import Foundation
import Redis
import Testing

@testable import ZhiYueCLI

@Suite struct AuditCommandTests {
    @Test func `entries are listed the newest first and exported the oldest first`() async throws {
        let system = try await CommandSystem()
        let log = AuditLog(client: system.client, keys: RedisKeys(), partitions: 8)
        for number in 1...3 {
            try await log.append(
                AuditEntry(
                    number == 2 ? .signInRefused : .signedIn, actor: "user\(number)", address: "::1", source: "/test",
                    subject: "user/user\(number)", details: ["reason": "a, \"b\""]))
        }
        let table = try await system.zhiyue("audit", "list")
        #expect(table.lines.count == 4)
        #expect(table.lines[1].contains("user3"))
        let refused = try await system.zhiyue("audit", "list", "--action", "sign_in.refused", "--json")
        #expect(refused.objects.compactMap { $0["actor"] as? String } == ["user2"])
        let one = try await system.zhiyue("audit", "list", "--limit", "1", "--json")
        #expect(one.objects.count == 1)

        let export = try await system.zhiyue("audit", "export", "--since", "1h")
        #expect(
            export.objects.compactMap { $0["subject"] as? String } == [
                "user/user1", "user/user2", "user/user3", "audit",
            ])
        let csv = try await system.zhiyue("audit", "export", "--actor", "user1", "--csv")
        let rows = csv.output.components(separatedBy: "\r\n")
        #expect(rows[0] == AuditText.csvHeader)
        #expect(rows[1].hasSuffix(#",/test,user/user1,,,"{""reason"":""a, \""b\""""}""#), "\(rows[1])")
        #expect(rows.count == 3)
        #expect(try await system.zhiyue("audit", "export", "--until", "1h").output.isEmpty)
    }

    @Test(arguments: [
        ("plain", "plain"), ("a,b", "\"a,b\""), ("a\"b", "\"a\"\"b\""), ("=1+1", "'=1+1"), ("-1", "'-1"),
        ("@x,", "\"'@x,\""), ("", ""),
    ])
    func `cells are quoted and never formulas`(text: String, cell: String) {
        #expect(AuditText.csvCell(text) == cell)
    }

    @Test func `a token made by the command line is noted without the token`() async throws {
        let system = try await CommandSystem()
        let secret = ["JWT_SECRET": "a secret of the tests, 32 bytes or more"]
        let run = try await system.zhiyue("token", "--user", "zhang", "--role", "teacher", environment: secret)
        #expect(run.status == 0, "\(run.errors)")
        let audit = try await system.zhiyue("audit", "list", "--json")
        #expect(audit.objects.count == 1)
        #expect(audit.objects[0]["action"] as? String == "token.issued")
        #expect(audit.objects[0]["subject"] as? String == "user/zhang")
        #expect(audit.objects[0]["details"] as? [String: String] == ["role": "teacher", "seconds": "3600"])
        #expect(!audit.output.contains(run.output.prefix(20)))

        let alone = try await CommandRun.zhiyue(
            ["token", "--user", "zhang", "--role", "teacher"],
            environment: secret.merging(["REDIS_URL": "unix:///nowhere/redis.sock"]) { first, _ in first })
        #expect(alone.status == 0)
        #expect(alone.output.split(separator: ".").count == 3)
        #expect(alone.errors.contains("not noted in the audit log"))
    }
}
