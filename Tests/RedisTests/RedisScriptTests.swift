import TestSupport
import Testing

@testable import Redis

@Suite struct RedisScriptTests {
    private let server: RedisServer
    private let append = RedisScript(
        name: "append", source: Array("return redis.call('APPEND', KEYS[1], ARGV[1])".utf8))
    private let failing = RedisScript(
        name: "failing", source: Array("return redis.error_reply('STALE fence ' .. ARGV[1])".utf8))

    init() throws {
        server = try RedisServer()
    }

    @Test func aScriptRunsByItsNameAfterTheFirstTime() async throws {
        try await withClient(of: server) { client async throws in
            for count in 1...5 {
                #expect(try await client.evaluate(append, keys: ["k"], arguments: ["x"]).int == count)
            }
            let loaded = try await client.send(["SCRIPT", "EXISTS", append.sha1])
            #expect(loaded.array?.first?.int == 1)
            let statistics = try await client.send(["INFO", "commandstats"]).string ?? ""
            #expect(statistics.contains("cmdstat_eval:calls=1,"))
            #expect(statistics.contains("cmdstat_evalsha:calls=4,"))
        }
    }

    @Test func ownErrorsOfAScriptAreRefusals() async throws {
        try await withClient(of: server) { client async throws in
            let error = await failure { try await client.evaluate(failing, keys: ["k"], arguments: [7]) }
            #expect(error?.code == .refused("STALE"))
            #expect(error?.message == "STALE fence 7")
        }
    }

    @Test func aScriptFlushedByTheServerIsLoadedAgain() async throws {
        try await withClient(of: server) {
            $0.poolSize = 2
        } _: { client async throws in
            for count in 1...20 {
                #expect(try await client.evaluate(append, keys: ["k"], arguments: ["x"]).int == count)
                try server.command("SCRIPT FLUSH")
            }
        }
    }

    @Test func manyCallersSurviveAFlushTogether() async throws {
        try await withClient(of: server) { client async throws in
            _ = try await client.evaluate(append, keys: ["k"], arguments: ["x"])
            try server.command("SCRIPT FLUSH")
            let lengths = try await withThrowingTaskGroup(of: Int?.self) { group in
                for _ in 0..<300 {
                    group.addTask { try await client.evaluate(append, keys: ["k"], arguments: ["x"]).int }
                }
                return try await group.reduce(into: Set<Int?>()) { $0.insert($1) }
            }
            #expect(lengths == Set(2...301))
        }
    }

    @Test func aScriptInAPipelineKeepsItsPlace() async throws {
        try await withClient(of: server) { client async throws in
            let replies = try await client.pipeline([
                ["SET", "k", "a"], append.command(keys: ["k"], arguments: ["b"]), ["APPEND", "k", "c"],
                append.command(keys: ["k"], arguments: ["d"]), ["GET", "k"],
            ])
            #expect(replies.last?.string == "abcd")
        }
    }

    @Test func aFlushedScriptInAPipelineIsRepeated() async throws {
        try await withClient(of: server) { client async throws in
            _ = try await client.evaluate(append, keys: ["k"], arguments: ["a"])
            try server.command("SCRIPT FLUSH")
            let replies = try await client.pipeline([
                append.command(keys: ["k"], arguments: ["b"]), ["PING"], append.command(keys: ["k"], arguments: ["c"]),
            ])
            #expect(replies.map(\.error) == [nil, nil, nil])
            #expect(replies.map(\.int) == [2, nil, 3])
            #expect(try await client.send(["GET", "k"]).string == "abc")
        }
    }

    @Test func aDedicatedConnectionRunsScriptsToo() async throws {
        try await withClient(of: server) { client async throws in
            try await client.withDedicatedConnection { connection async throws in
                let command = append.command(keys: ["k"], arguments: ["x"])
                #expect(try await connection.send(command).int == 1)
                try server.command("SCRIPT FLUSH")
                #expect(try await connection.send(command).int == 2)
            }
        }
    }

    @Test func theServerNamesAScriptAsWeDo() async throws {
        try await withClient(of: server) { client async throws in
            #expect(try await client.send(["SCRIPT", "LOAD", append.source]).string == append.sha1)
        }
    }
}
