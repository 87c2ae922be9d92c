import Domain
import EventBus
import Foundation
import TestSupport
import Testing

@testable import ZhiYueCLI

@Suite struct EventCommandTests {
    @Test func `history shows what the filters leave, as a table or as JSON lines`() async throws {
        let system = try await CommandSystem()
        try await system.publish(1...3, exam: "a")
        try await system.publish(4...5, exam: "b", correlation: "mine")

        let table = try await system.zhiyue("events", "history")
        #expect(table.status == 0, "\(table.errors)")
        #expect(table.lines.count == 6)
        #expect(table.lines[0].hasPrefix("TIME "))
        #expect(table.lines[1].contains("exam.updated"))
        for (arguments, count) in [
            (["--exam-id", "a"], 3), (["--correlation-id", "mine"], 2), (["--type", "exam.created"], 0),
            (["--type", "exam.created", "exam.updated"], 5), (["--since", "1h"], 5), (["--until", "1h"], 0),
            (["--from", "2020-01-01", "--to", "2020-01-02T00:00:00Z"], 0), (["--limit", "4"], 4),
        ] {
            let run = try await CommandRun.zhiyue(
                ["events", "history", "--json"] + arguments, environment: ["REDIS_URL": system.redis.url])
            #expect(run.status == 0)
            #expect(run.objects.count == count, "\(arguments)")
            #expect(run.objects.count == run.lines.count)
            #expect(run.objects.allSatisfy { $0["specversion"] as? String == "1.0" })
            #expect(run.errors.contains("--limit") == arguments.contains("--limit"))
        }
    }

    @Test func `tail shows old events from the time given, and then new ones`() async throws {
        let system = try await CommandSystem()
        try await system.publish(1...2, exam: "a")
        try await system.publish(9...9, exam: "b")
        async let tail = system.zhiyue("events", "tail", "--since", "1h", "--exam-id", "a", "--json", "--count", "3")
        // The tail blocks on a connection of its own as soon as it has shown the old events.
        while try !(system.redis.command("CLIENT LIST").contains("cmd=xread")) { await Task.yield() }
        try await system.publish(3...3, exam: "a")
        let run = try await tail
        #expect(run.status == 0, "\(run.errors)")
        let versions = run.objects.compactMap { ($0["data"] as? [String: Any])?["version"] as? Int }
        #expect(versions == [1, 2, 3])
    }

    @Test(arguments: [
        ["events", "history", "--since", "yesterday"], ["events", "history", "--limit", "0"],
        ["events", "history", "--type", "nonsense"], ["events", "history", "--since", "1h", "--until", "2h"],
        ["events", "tail", "--count", "0"], ["events", "replay"], ["events", "replays", "--cancel"],
        ["dead-letters", "requeue"], ["dead-letters", "purge"],
        ["dead-letters", "show", "x"], ["dead-letters", "requeue", "1-1.0", "--all"],
        ["audit", "list", "--action", "none"], ["audit", "export", "--csv", "--json"],
    ])
    func `wrong usage ends with status 2 and says why`(arguments: [String]) async throws {
        let run = try await CommandRun.zhiyue(arguments)
        #expect(run.status == 2)
        #expect(run.output.isEmpty)
        #expect(run.errors.contains("Usage:"), "\(run.errors)")
    }

    @Test(arguments: [
        ["events"], ["events", "history"], ["events", "tail"], ["events", "replay"], ["events", "replays"],
        ["events", "handlers"],
        ["dead-letters"], ["dead-letters", "list"],
        ["dead-letters", "show"], ["dead-letters", "requeue"], ["dead-letters", "purge"], ["audit"], ["audit", "list"],
        ["audit", "export"],
    ])
    func `every command explains itself`(arguments: [String]) async throws {
        let run = try await CommandRun.zhiyue(arguments + ["--help"])
        #expect(run.status == 0)
        #expect(run.output.contains("USAGE: zhiyue \(arguments.joined(separator: " "))"))
    }

    @Test func `a Redis that is not there ends a command with status 1 and a line`() async throws {
        let run = try await CommandRun.zhiyue(
            ["events", "history"], environment: ["REDIS_URL": "unix:///nowhere/redis.sock"])
        #expect(run.status == 1)
        #expect(run.errors.hasPrefix("zhiyue: "))
    }

    @Test func `times are given absolutely or as so long ago`() throws {
        let now = try #require(Timestamp(rfc3339: "2026-11-22T08:00:00Z"))
        func text(_ argument: String) -> String? { TimeArgument(argument, now: now)?.time.rfc3339 }
        #expect(text("2026-11-01T01:02:03Z") == "2026-11-01T01:02:03.000Z")
        #expect(text("2026-11-01") == "2026-11-01T00:00:00.000Z")
        #expect(text("90s") == "2026-11-22T07:58:30.000Z")
        #expect(text("15m") == "2026-11-22T07:45:00.000Z")
        #expect(text("2h") == "2026-11-22T06:00:00.000Z")
        #expect(text("7d") == "2026-11-15T08:00:00.000Z")
        for wrong in ["", "7", "d", "-1d", "1w", "99999999d", "2026-13-01"] { #expect(text(wrong) == nil, "\(wrong)") }
    }
}
