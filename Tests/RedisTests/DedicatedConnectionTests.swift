import TestSupport
import Testing

@testable import Redis

@Suite struct DedicatedConnectionTests {
    private let server: RedisServer

    init() throws {
        server = try RedisServer()
    }

    private func untilBlocked(_ client: RedisClient, count: Int = 1) async throws {
        while try await client.send(["INFO", "clients"]).string?.contains("blocked_clients:\(count)") != true {
            try Task.checkCancellation()
        }
    }

    @Test func aBlockedReadStopsNobodyElse() async throws {
        try await withClient(of: server) { client async throws in
            async let popped = client.withDedicatedConnection { connection async throws in
                try await connection.send(["BZPOPMIN", "z", 0], blockingFor: .seconds(60))
            }
            try await untilBlocked(client)
            _ = try await client.send(["ZADD", "z", 7, "member"])
            #expect(try await popped.array?.map(\.string) == ["z", "member", "7"])
        }
    }

    @Test func aBlockTimeThatPassesIsANullReplyNotATimeOut() async throws {
        try await withClient(of: server) {
            $0.commandTimeout = .milliseconds(500)
        } _: { client async throws in
            let reply = try await client.withDedicatedConnection { connection async throws in
                try await connection.send(["BZPOPMIN", "z", 1], blockingFor: .seconds(1))
            }
            #expect(reply.isNull)
        }
    }

    @Test func aDeadlineThatPassesClosesTheConnection() async throws {
        try await withClient(of: server) { client async throws in
            try await client.withDedicatedConnection { connection async throws in
                let late = await failure {
                    try await connection.send(["BZPOPMIN", "z", 0], deadline: .now + .milliseconds(50))
                }
                #expect(late?.code == .timedOut)
                #expect(await failure { try await connection.send(["PING"]) }?.code == .notSent)
            }
        }
    }

    @Test func cancellationEndsABlockedReadOnTheServerToo() async throws {
        try await withClient(of: server) { client async throws in
            let reader = Task {
                await failure {
                    try await client.withDedicatedConnection { connection async throws in
                        try await connection.send(["BZPOPMIN", "z", 0], blockingFor: .seconds(600))
                    }
                }
            }
            try await untilBlocked(client)
            reader.cancel()
            let error = await reader.value
            #expect(error?.code == .outcomeUnknown)
            #expect(error?.isCancellation == true)
            try await untilBlocked(client, count: 0)
        }
    }

    @Test func connectionsAreReusedUnlessTheirStateChanged() async throws {
        try await withClient(of: server) { client async throws in
            func identity(_ commands: [RedisCommand] = []) async throws -> Int? {
                try await client.withDedicatedConnection { connection async throws in
                    let identity = try await connection.send(["CLIENT", "ID"]).int
                    _ = try await connection.pipeline(commands)
                    return identity
                }
            }
            // CLIENT itself taints, so identities are compared through the server's list of clients.
            let first = try await identity()
            #expect(try await identity() != first)
            try await client.withDedicatedConnection { _ = try await $0.send(["PING"]) }
            let before = try await client.send(["INFO", "stats"]).string?.connectionsReceived
            for _ in 0..<10 {
                try await client.withDedicatedConnection { _ = try await $0.send(["PING"]) }
            }
            #expect(try await client.send(["INFO", "stats"]).string?.connectionsReceived == before)
        }
    }

    @Test func aTransactionRunsAndLeavesNothingBehind() async throws {
        try await withClient(of: server) { client async throws in
            let replies = try await client.withDedicatedConnection { connection async throws in
                _ = try await connection.send(["WATCH", "k"])
                return try await connection.pipeline([["MULTI"], ["INCR", "k"], ["EXEC"]])
            }
            #expect(replies.last == .array([.integer(1)]))
            try await client.withDedicatedConnection { _ = try await $0.send(["MULTI"]) }
            try await client.withDedicatedConnection { connection async throws in
                #expect(try await connection.send(["INCR", "k"]).int == 2)
            }
        }
    }

    @Test func beyondTheLimitCallersFailAtOnceAndLaterOnesDoNot() async throws {
        try await withClient(of: server) {
            $0.maxDedicatedConnections = 1
        } _: { client async throws in
            try await client.withDedicatedConnection { _ in
                let error = await failure { try await client.withDedicatedConnection { _ in } }
                #expect(error?.code == .notSent)
                #expect(error?.message.contains("in use") == true)
            }
            #expect(await failure { try await client.withDedicatedConnection { _ in } } == nil)
        }
    }

    @Test func errorsOfTheBodyComeThrough() async throws {
        struct Own: Error {}
        try await withClient(of: server) { client async throws in
            await #expect(throws: Own.self) { try await client.withDedicatedConnection { _ in throw Own() } }
        }
    }
}

extension String {
    fileprivate var connectionsReceived: Substring? {
        split(separator: "\r\n").first { $0.hasPrefix("total_connections_received:") }
    }
}
