import Logging
import Redis
import ServiceLifecycle
import TestSupport
import Testing

@Suite struct RedisClientTests {
    let server: RedisServer

    init() throws {
        server = try RedisServer()
    }

    @Test func repliesOfAllKindsComeBack() async throws {
        try await withClient(of: server) { client async throws in
            let binary: [UInt8] = [0, 13, 10, 255]
            #expect(try await client.send(["SET", "key", binary]) == .simpleString("OK"))
            #expect(try await client.send(["GET", "key"]).bytes == binary)
            #expect(try await client.send(["GET", "none"]).isNull)
            #expect(try await client.send(["INCRBY", "n", 41]).int == 41)
            #expect(try await client.send(["ZADD", "z", 1.5, "m"]).int == 1)
            #expect(try await client.send(["ZSCORE", "z", "m"]).double == 1.5)
            _ = try await client.send(["HSET", "h", "a", 1, "b", "two"])
            let fields = try await client.send(["HGETALL", "h"]).fields
            #expect(fields?.map(\.name) == ["a", "b"])
            #expect(fields?.map(\.value.string) == ["1", "two"])
        }
    }

    /// A large write makes the channel unwritable and, once the socket has taken it, writable again in the same call.
    @Test func commandsOfLargeWritesAreExecutedOnceAndAnsweredInOrder() async throws {
        try await withClient(of: server) { client async throws in
            let value = [UInt8](repeating: UInt8(ascii: "x"), count: 4096)
            let count = 1000
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<count {
                    group.addTask {
                        let command: RedisCommand = ["APPEND", "value:\(index)", value]
                        let length = try await client.send(command).int
                        #expect(length == value.count, "executed more than once")
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await client.send(["DBSIZE"]).int == count)
        }
    }

    @Test func anErrorReplyIsThrownWithItsCode() async throws {
        try await withClient(of: server) { client async throws in
            _ = try await client.send(["SET", "text", "x"])
            #expect(await failure { try await client.send(["LPUSH", "text", "y"]) }?.code == .refused("WRONGTYPE"))
            #expect(await failure { try await client.send(["NONSENSE"]) }?.code == .refused("ERR"))
        }
    }

    @Test func errorsInAPipelineStayInTheirPlace() async throws {
        try await withClient(of: server) { client async throws in
            let replies = try await client.pipeline([
                ["SET", "text", "x"], ["INCR", "text"], ["GET", "text"], ["LPUSH", "text", 1],
            ])
            #expect(replies.map(\.error?.prefix) == [nil, "ERR", nil, "WRONGTYPE"])
            #expect(replies[2].string == "x")
            #expect(try await client.pipeline([]).isEmpty)
        }
    }

    @Test func aPipelineLargerThanAllLimitsIsStillSent() async throws {
        try await withClient(of: server) { configuration in
            configuration.maxInFlight = 10
            configuration.maxQueuedCommands = 10
        } _: { client async throws in
            let replies = try await client.pipeline((0..<5000).map { _ in ["INCR", "n"] })
            #expect(replies.map(\.int) == (1...5000).map { $0 })
        }
    }

    @Test(arguments: [1, 3], [false, true])
    func thousandsOfConcurrentCallersEachGetTheirOwnReply(
        connections: Int, onTheEventLoop: Bool
    ) async throws {
        try await withClient(of: server) {
            $0.poolSize = connections
        } _: { client async throws in
            let wrong = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<5000 {
                    group.addTask(executorPreference: onTheEventLoop ? client.taskExecutor : nil) {
                        try await client.send(["ECHO", number]).int != number
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(wrong == 0)
        }
    }

    @Test func aMegabyteGoesThereAndBack() async throws {
        try await withClient(of: server) { client async throws in
            let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            _ = try await client.send(["SET", "large", bytes])
            #expect(try await client.send(["GET", "large"]).bytes == bytes)
        }
    }

    @Test func theDatabaseOfTheURLIsUsed() async throws {
        try await withClient(url: server.url + "?db=3") { client async throws in
            _ = try await client.send(["SET", "key", "here"])
        }
        try await withClient(of: server) { client async throws in
            #expect(try await client.send(["GET", "key"]).isNull)
        }
        let error = await failure { try await withClient(url: server.url + "?db=99") { try await $0.send(["PING"]) } }
        #expect(error?.code == .refused("ERR"))
        #expect(error?.message.contains("SELECT") == true)
    }

    @Test func tcpWorksAsTheUnixSocketDoes() async throws {
        let server = try RedisServer(port: RedisServer.freePort())
        try await withClient(url: server.tcpURL) { client async throws in
            #expect(try await client.send(["PING"]).string == "PONG")
            #expect(try await client.send(["CLIENT", "GETNAME"]).string == "zhiyue")
        }
    }

    @Test func runServesUntilGracefulShutdownAndThenFinishesWhatWaits() async throws {
        let client = RedisClient(
            configuration: try RedisConfiguration(url: server.url), logger: Logger(label: "test"))
        let group = ServiceGroup(services: [client], logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let replies = try await withThrowingTaskGroup(of: Int?.self) { callers in
                for _ in 0..<500 {
                    callers.addTask { try await client.send(["INCR", "n"]).int }
                }
                return try await callers.reduce(into: Set<Int?>()) { $0.insert($1) }
            }
            #expect(replies.count == 500)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        let error = await failure { try await client.send(["PING"]) }
        #expect(error?.code == .notSent)
        #expect(error?.message.contains("closed") == true)
    }

    @Test func closingTwiceOrUnusedIsHarmless() async throws {
        let client = RedisClient(
            configuration: try RedisConfiguration(url: server.url), logger: Logger(label: "test"))
        await client.close()
        await client.close()
        #expect(await failure { try await client.withDedicatedConnection { _ in } }?.code == .notSent)
    }
}
