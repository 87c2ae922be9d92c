import Domain
import EventBus
import Foundation
import TestSupport
import Testing

@testable import ZhiYueCLI

@Suite struct DeadLetterCommandTests {
    private func ids(_ run: CommandRun) -> [String] { run.objects.compactMap { $0["id"] as? String } }

    @Test func `dead letters are listed, shown, given back and forgotten, and the audit log says by whom`()
        async throws
    {
        let system = try await CommandSystem()
        try await system.publish(1...3, exam: "a")
        try await system.publish(1...2, exam: "b")
        try await system.giveUp(group: "g", letters: 5)

        let list = try await system.zhiyue("dead-letters", "list", "--json")
        #expect(list.status == 0, "\(list.errors)")
        #expect(ids(list).count == 5)
        let table = try await system.zhiyue("dead-letters", "list", "--exam-id", "b")
        #expect(table.lines.count == 3)
        #expect(table.lines[1].contains("no, thanks"))

        let id = try #require(ids(try await system.zhiyue("dead-letters", "list", "--exam-id", "a", "--json")).first)
        let shown = try await system.zhiyue("dead-letters", "show", id)
        #expect(shown.output.contains("deliveries  1\n"))
        #expect(shown.output.contains(#""specversion":"1.0""#))
        let object = try await system.zhiyue("dead-letters", "show", id, "--json")
        #expect(object.objects.first?["handler"] as? String == "rejecting")

        let requeued = try await system.zhiyue("dead-letters", "requeue", id, "--json")
        #expect(requeued.status == 0)
        #expect(requeued.output == "{\"requeued\":1}\n")
        for command in [["show", id], ["requeue", id], ["purge", id], ["purge", "1-1.99"]] {
            let gone = try await CommandRun.zhiyue(
                ["dead-letters"] + command, environment: ["REDIS_URL": system.redis.url])
            #expect(gone.status == 1, "\(command)")
            #expect(gone.errors.contains("there is no dead letter"))
        }
        let group = try await system.zhiyue("dead-letters", "requeue", "--group", "g", "--exam-id", "b")
        #expect(group.output == "2 given back\n")
        let purged = try await system.zhiyue("dead-letters", "purge", "--all", "--json")
        #expect(purged.output == "{\"purged\":2}\n")
        #expect(try await system.zhiyue("dead-letters", "purge", "--all").output == "0 forgotten\n")

        let audit = try await system.zhiyue("audit", "list", "--json")
        #expect(
            audit.objects.compactMap { $0["action"] as? String } == [
                "dead_letters.purged", "dead_letters.requeued", "dead_letters.requeued",
            ])
        #expect(audit.objects.allSatisfy { ($0["actor"] as? String)?.hasPrefix("os:") == true })
        #expect(audit.objects[1]["exam_id"] as? String == "b")
        #expect((audit.objects[2]["details"] as? [String: String])?["ids"] == id)
    }
}
