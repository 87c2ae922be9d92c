import TestSupport
import Testing

@testable import Redis

/// What a client does when the server, or the way to it, fails.
@Suite struct RedisFaultTests {
    @Test func aKilledServerLosesWhatWasSentAndALaterCommandFindsTheNewOne() async throws {
        let server = try RedisServer()
        try await withClient(of: server) { client async throws in
            _ = try await client.send(["SET", "k", "v"])
            server.freeze()
            async let lost = failure { try await client.send(["INCR", "n"]) }
            try await client.load { $0.inFlight == 1 }
            server.kill()
            #expect(await lost?.code == .outcomeUnknown)
            async let later = client.send(["PING"])
            try server.restart()
            #expect(try await later.string == "PONG")
        }
    }

    @Test func noIncrementIsLostOrDoubledOverRestarts() async throws {
        // Every write reaches the file before its reply, so what was acknowledged survives the kill.
        let server = try RedisServer(arguments: ["--appendfsync", "always"])
        try await withClient(of: server) {
            $0.commandTimeout = .seconds(20)
        } _: { client async throws in
            let (done, unknown) = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        var (done, unknown) = (0, 0)
                        while done + unknown < 200 {
                            let error = await failure { try await client.send(["INCR", "n"]) }
                            switch error?.code {
                            case nil: done += 1
                            case .outcomeUnknown: unknown += 1
                            case .some: throw try #require(error)
                            }
                        }
                        return (done, unknown)
                    }
                }
                for _ in 0..<3 {
                    let before = await increments(client)
                    while await increments(client) < before + 200 {}
                    try server.restart()
                }
                return try await group.reduce((0, 0)) { ($0.0 + $1.0, $0.1 + $1.1) }
            }
            let counted = try #require(try await client.send(["GET", "n"]).int)
            #expect(done + unknown == 3200)
            #expect((done...done + unknown).contains(counted))
        }
    }

    /// Right after a restart the client may not know yet that its connection is gone; then it is asked again.
    private func increments(_ client: RedisClient) async -> Int {
        while true {
            if let reply = try? await client.send(["GET", "n"]) { return reply.int ?? 0 }
        }
    }

    @Test func aFrozenServerTimesOutWhatWasSentAndNotWhatWaits() async throws {
        let server = try RedisServer()
        try await withClient(of: server) { configuration in
            configuration.commandTimeout = .seconds(3)
            configuration.maxInFlight = 1
        } _: { client async throws in
            _ = try await client.send(["PING"])
            server.freeze()
            async let sent = failure { try await client.send(["INCR", "n"]) }
            try await client.load { $0.inFlight == 1 }
            async let queued = failure { try await client.send(["INCR", "n"]) }
            #expect(await sent?.code == .timedOut)
            #expect(await queued?.code == .notSent)
            server.thaw()
            while await failure({ try await client.send(["PING"]) }) != nil {
                try Task.checkCancellation()
            }
        }
    }

    @Test func aServerThatIsNotThereIsNamedInTheError() async throws {
        let error = await failure {
            try await withClient(url: "unix:///tmp/no-such-directory/redis.sock") {
                $0.commandTimeout = .seconds(1)
            } _: {
                try await $0.send(["PING"])
            }
        }
        #expect(error?.code == .notSent)
        #expect("\(error.map { "\($0)" } ?? "")".contains("/tmp/no-such-directory/redis.sock"))
        let port = try RedisServer.freePort()
        let refused = await failure {
            try await withClient(url: "redis://127.0.0.1:\(port)") {
                $0.commandTimeout = .seconds(1)
            } _: {
                try await $0.send(["PING"])
            }
        }
        #expect(refused?.code == .notSent)
        #expect("\(refused.map { "\($0)" } ?? "")".contains("onnection refused"))
        let dedicated = await failure {
            try await withClient(url: "redis://127.0.0.1:\(port)") {
                $0.commandTimeout = .seconds(1)
            } _: {
                try await $0.withDedicatedConnection { _ in }
            }
        }
        #expect(dedicated?.code == .notSent)
    }

    @Test func aFullServerRefusesWritesAndServesReads() async throws {
        let server = try RedisServer(arguments: ["--maxmemory", "2mb", "--maxmemory-policy", "noeviction"])
        try await withClient(of: server) { client async throws in
            let block = [UInt8](repeating: 1, count: 1 << 20)
            let error = await failure {
                for number in 0..<8 {
                    _ = try await client.send(["SET", "k\(number)", block])
                }
            }
            #expect(error?.code == .refused("OOM"))
            #expect(try await client.send(["PING"]).string == "PONG")
        }
    }

    @Test func aWrongPasswordFailsAtOnceAndSaysSoWithoutIt() async throws {
        let server = try RedisServer(arguments: ["--requirepass", "right"])
        for (login, code) in [(":secret@", "WRONGPASS"), ("nobody:secret@", "WRONGPASS"), ("", "NOAUTH")] {
            let error = await failure {
                try await withClient(url: "unix://\(login)\(server.socketPath)") { try await $0.send(["PING"]) }
            }
            #expect(error?.code == .refused(code))
            #expect(error?.message.contains("secret") == false)
        }
        try await withClient(url: "unix://:right@\(server.socketPath)") { client async throws in
            #expect(try await client.send(["PING"]).string == "PONG")
            try await client.withDedicatedConnection { connection async throws in
                #expect(try await connection.send(["PING"]).string == "PONG")
            }
        }
    }

    @Test func aUserWithoutPermissionIsToldNOPERM() async throws {
        let server = try RedisServer()
        try server.command("ACL SETUSER reader on >pass ~* +get +xread")
        try await withClient(url: "unix://reader:pass@\(server.socketPath)") { client async throws in
            #expect(try await client.send(["GET", "k"]).isNull)
            #expect(await failure { try await client.send(["SET", "k", "v"]) }?.code == .refused("NOPERM"))
        }
    }

    @Test func aReplyBeyondTheLimitClosesTheConnectionAndTheNextCommandGetsANewOne() async throws {
        let server = try RedisServer()
        try await withClient(of: server) {
            $0.maxReplyBytes = 10_000
        } _: { client async throws in
            _ = try await client.send(["SET", "k", [UInt8](repeating: 1, count: 20_000)])
            let error = await failure { try await client.send(["GET", "k"]) }
            #expect(error?.code == .outcomeUnknown)
            #expect(error?.message.contains("larger than the limit") == true)
            #expect(try await client.send(["PING"]).string == "PONG")
        }
    }

    @Test(arguments: [
        Array("hello\r\n".utf8), [0, 1, 2, 3, 255, 254], Array("$99999999999\r\n".utf8), Array("*-7\r\n".utf8),
        Array("+OK\r\n+one too many\r\n".utf8), Array(String(repeating: "*1\r\n", count: 50).utf8),
    ])
    func garbageClosesTheConnectionWithAnError(bytes: [UInt8]) async throws {
        let server = try await FakeServer(.reply(bytes))
        try await withClient(url: server.url) {
            $0.maxReplyBytes = 1024
            $0.commandTimeout = .seconds(5)
        } _: { client async throws in
            let first = await failure { try await client.send(["PING"]) }
            // A reply that is right in itself is believed; the surplus then closes the connection.
            if !bytes.starts(with: Array("+OK".utf8)) {
                #expect(first?.code == .outcomeUnknown || first?.code == .timedOut)
            }
            try await client.load { $0.inFlight == 0 }
        }
        try await server.stop()
    }

    @Test func halfAReplyAndThenTheEndIsAnUnknownOutcome() async throws {
        let server = try await FakeServer(.replyAndClose(Array("$100\r\nabc".utf8)))
        try await withClient(url: server.url) { client async throws in
            #expect(await failure { try await client.send(["GET", "k"]) }?.code == .outcomeUnknown)
        }
        try await server.stop()
    }

    @Test func aServerThatHangsUpIsANotSent() async throws {
        let server = try await FakeServer(.hangUp)
        try await withClient(url: server.url) {
            $0.commandTimeout = .milliseconds(200)
        } _: { client async throws in
            #expect(await failure { try await client.send(["PING"]) }?.code == .notSent)
        }
        try await server.stop()
    }

    @Test func aServerThatIsStillLoadingIsWaitedFor() async throws {
        let server = try await FakeServer(.loading(times: 3))
        try await withClient(url: server.url) {
            $0.commandTimeout = .seconds(60)
        } _: { client async throws in
            #expect(try await client.send(["PING"]).string == "done")
        }
        try await withClient(url: server.url) {
            $0.commandTimeout = .seconds(60)
        } _: { client async throws in
            let reply = try await client.withDedicatedConnection { try await $0.send(["PING"]) }
            #expect(reply.string == "done")
        }
        try await server.stop()
    }

    @Test func aServerThatDoesNotGreetIsGivenUp() async throws {
        let server = try await FakeServer(.greet([]))
        try await withClient(url: server.url) {
            $0.connectTimeout = .milliseconds(50)
            $0.commandTimeout = .seconds(1)
        } _: { client async throws in
            let error = await failure { try await client.send(["PING"]) }
            #expect(error?.code == .notSent)
            #expect("\(error.map { "\($0)" } ?? "")".contains("no answer"))
        }
        try await server.stop()
    }

    @Test func aFullQueueTurnsCallersAway() async throws {
        let server = try RedisServer()
        try await withClient(of: server) { configuration in
            configuration.maxInFlight = 1
            configuration.maxQueuedCommands = 10
            configuration.commandTimeout = .seconds(20)
        } _: { client async throws in
            _ = try await client.send(["PING"])
            server.freeze()
            let outcomes = try await withThrowingTaskGroup(of: RedisError?.self) { group in
                group.addTask { await failure { try await client.send(["INCR", "n"]) } }
                try await client.load { $0.inFlight == 1 }
                for _ in 0..<10 {
                    group.addTask { await failure { try await client.send(["INCR", "n"]) } }
                }
                try await client.load { $0.waiting == 10 }
                let surplus = await failure { try await client.send(["INCR", "n"]) }
                #expect(surplus?.code == .notSent)
                #expect(surplus?.message.contains("full") == true)
                server.thaw()
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.count == 11)
            #expect(outcomes.allSatisfy { $0 == nil })
            #expect(try await client.send(["GET", "n"]).int == 11)
        }
    }

    @Test(.timeLimit(.minutes(2))) func aCallerCancelledBeforehandDoesNotWaitBehindAFrozenServer() async throws {
        let server = try RedisServer()
        try await withClient(of: server) { configuration in
            configuration.commandTimeout = .seconds(600)
        } _: { client async throws in
            _ = try await client.send(["PING"])
            server.freeze()
            let sent = Task { await failure { try await client.send(["INCR", "sent"]) } }
            try await client.load { $0.inFlight == 1 }
            let late = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return await failure { try await client.send(["INCR", "late"]) }
            }
            #expect(await late.value?.isCancellation == true)
            server.thaw()
            #expect(await sent.value == nil)
            #expect(try await client.send(["GET", "late"]).isNull)
        }
    }

    @Test func aCancelledCallerIsWithdrawnWhenUnsentAndReleasedWhenSent() async throws {
        let server = try RedisServer()
        try await withClient(of: server) { configuration in
            configuration.maxInFlight = 1
            configuration.commandTimeout = .seconds(20)
        } _: { client async throws in
            _ = try await client.send(["PING"])
            server.freeze()
            let sent = Task { await failure { try await client.send(["INCR", "sent"]) } }
            try await client.load { $0.inFlight == 1 }
            let unsent = Task { await failure { try await client.send(["INCR", "unsent"]) } }
            try await client.load { $0.waiting == 1 }
            unsent.cancel()
            let withdrawn = await unsent.value
            #expect(withdrawn?.code == .notSent)
            #expect(withdrawn?.isCancellation == true)
            sent.cancel()
            let released = await sent.value
            #expect(released?.code == .outcomeUnknown)
            #expect(released?.isCancellation == true)
            server.thaw()
            // The abandoned reply is not taken for the next one's.
            #expect(try await client.send(["ECHO", "mine"]).string == "mine")
            #expect(try await client.send(["GET", "sent"]).int == 1)
            #expect(try await client.send(["GET", "unsent"]).isNull)
        }
    }

    @Test func aTaskCancelledBeforehandSendsNothing() async throws {
        let server = try RedisServer()
        try await withClient(of: server) { client async throws in
            let error = await Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return await failure { try await client.send(["INCR", "n"]) }
            }.value
            #expect(error?.code == .notSent)
            #expect(error?.isCancellation == true)
            #expect(try await client.send(["GET", "n"]).isNull)
        }
    }

    @Test func cancellingThousandsOfCallersReleasesThemAll() async throws {
        let server = try RedisServer()
        try await withClient(of: server) { configuration in
            configuration.maxInFlight = 100
            configuration.commandTimeout = .seconds(60)
        } _: { client async throws in
            _ = try await client.send(["PING"])
            server.freeze()
            let ended = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<3000 {
                    group.addTask { await failure { try await client.send(["INCR", "n"]) }?.isCancellation == true }
                }
                try await client.load { $0.inFlight + $0.waiting == 3000 }
                group.cancelAll()
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(ended == 3000)
            server.thaw()
            #expect(try await client.send(["GET", "n"]).int == 100)
        }
    }
}
