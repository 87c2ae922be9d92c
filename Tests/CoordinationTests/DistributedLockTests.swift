import Coordination
import Foundation
import Logging
import Redis
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

/// A private Redis, and locks of processes that share it.
private struct LockFixture {
    let server: RedisServer
    let client: RedisClient

    static func run(_ body: (LockFixture) async throws -> Void) async throws {
        let server = try RedisServer()
        defer { server.stop() }
        let client = RedisClient(configuration: try RedisConfiguration(url: server.url), logger: logger)
        do {
            try await body(LockFixture(server: server, client: client))
            await client.close()
        } catch {
            await client.close()
            throw error
        }
    }

    func lock(_ holder: String, lease: Duration = .seconds(20), client: RedisClient? = nil) -> DistributedLock {
        DistributedLock(
            name: "work", holder: holder, client: client ?? self.client, keys: RedisKeys(), lease: lease)
    }

    /// A client whose connections go through a network that can be frozen.
    func clientBehindNetwork() async throws -> (RedisClient, FreezingProxy) {
        let network = try await FreezingProxy(
            server: server.socketPath, listeningAt: server.directory.appendingPathComponent("network.sock").path)
        var options = try RedisConfiguration(url: network.url)
        options.commandTimeout = .milliseconds(200)
        return (RedisClient(configuration: options, logger: logger), network)
    }

    /// An effect that checks the fence: notes who made it.
    func note(_ fence: Fence) async throws -> Bool {
        let source = """
            if fence.is_stale() then return 'STALE' end
            redis.call('RPUSH', KEYS[2], ARGV[1])
            return 'OK'
            """
        let script = RedisScript(name: "note", source: Fence.prelude + Array(source.utf8))
        let reply = try await client.evaluate(script, keys: ["{t}:fence", "{t}:notes"], arguments: [fence.number])
        return reply.string == "OK"
    }
}

/// Looks until `condition` holds; the time limit of the test bounds it.
private func until(_ condition: () async throws -> Bool) async throws {
    while try await !condition() {
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// Who is in, and who has been.
private final class Tally: Sendable {
    private let state = Mutex<(inside: Int, fences: [Int])>((0, []))

    var fences: [Int] { state.withLock { $0.fences } }

    func enter(_ fence: Fence) -> Int {
        state.withLock { state in
            state.inside += 1
            state.fences.append(fence.number)
            return state.inside
        }
    }

    func leave() {
        state.withLock { $0.inside -= 1 }
    }
}

/// Who has led, in order.
private final class Leaders: Sendable {
    private let names = Mutex<[String]>([])

    var all: [String] { names.withLock { $0 } }

    func add(_ name: String) { names.withLock { $0.append(name) } }
}

@Suite(.timeLimit(.minutes(2))) struct DistributedLockTests {
    @Test func onlyOneHoldsTheLockAndEachLaterHolderHasAGreaterFence() async throws {
        try await LockFixture.run { fixture in
            let tally = Tally()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<8 {
                    let lock = fixture.lock("h\(number)")
                    group.addTask {
                        for _ in 0..<3 {
                            try await lock.withLock { fence in
                                #expect(tally.enter(fence) == 1)
                                let holder = try await lock.currentHolder()
                                #expect(holder == "h\(number)")
                                tally.leave()
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(tally.fences == Array(1...24))
            #expect(try await fixture.lock("h").currentHolder() == nil)
        }
    }

    @Test func whoDoesNotWantToWaitIsTold() async throws {
        try await LockFixture.run { fixture in
            try await fixture.lock("first").withLock { _ in
                let error = await #expect(throws: LockError.self) {
                    try await fixture.lock("second").withLock(waitingUpTo: .zero) { _ in }
                }
                #expect(error?.code == .held)
            }
            // Given back at once, not when the lease ends.
            try await fixture.lock("second").withLock(waitingUpTo: .zero) { _ in }
        }
    }

    @Test func aLeaseIsProlongedAsLongAsTheWorkLasts() async throws {
        try await LockFixture.run { fixture in
            let lock = fixture.lock("long", lease: .seconds(9))
            try await lock.withLock { _ in
                for _ in 0..<2 {
                    var last = Int.max
                    // What is left of the lease shrinks until it is prolonged.
                    try await until {
                        let left = try await fixture.client.send(["PTTL", "zhiyue:{lock:work}:holder"]).int ?? 0
                        defer { last = left }
                        return left > last
                    }
                }
                let holder = try await lock.currentHolder()
                #expect(holder == "long")
            }
        }
    }

    @Test func aHolderThatLosesTheLockIsCancelledAndItsEffectsAreRefused() async throws {
        try await LockFixture.run { fixture in
            let (client, network) = try await fixture.clientBehindNetwork()
            let held = Mutex<Fence?>(nil)
            let first = fixture.lock("first", lease: .milliseconds(500), client: client)
            let work = Task {
                try await first.withLock { fence in
                    held.withLock { $0 = fence }
                    // Until it is cancelled.
                    try await Task.sleep(for: .seconds(1000))
                }
            }
            try await until { held.withLock { $0 } != nil }
            let old = try #require(held.withLock { $0 })
            #expect(try await fixture.note(old))
            await network.freeze(.both)
            try await fixture.lock("second").withLock { fence in
                #expect(fence.number > old.number)
                let isNoted = try await fixture.note(fence)
                #expect(isNoted)
                // One that does not know yet that it has lost the lock.
                let isOldNoted = try await fixture.note(old)
                #expect(!isOldNoted)
            }
            let outcome = await work.result
            #expect(throws: LockError(code: .lost, message: "the lock work was lost")) { try outcome.get() }
            let notes = try await fixture.client.send(["LRANGE", "{t}:notes", 0, -1]).array?.compactMap(\.int)
            #expect(notes == [1, 2])
            await network.thaw()
            await client.close()
            await network.stop()
        }
    }

    @Test func aLockTakenAwayIsLostAtTheNextRenewal() async throws {
        try await LockFixture.run { fixture in
            let lock = fixture.lock("first", lease: .seconds(1))
            let error = await #expect(throws: LockError.self) {
                try await lock.withLock { _ in
                    try fixture.server.flush()
                    try await Task.sleep(for: .seconds(1000))
                }
            }
            #expect(error?.code == .lost)
        }
    }

    @Test func workThatFailsOrIsCancelledGivesTheLockBack() async throws {
        try await LockFixture.run { fixture in
            struct Failure: Error {}
            await #expect(throws: Failure.self) {
                try await fixture.lock("first").withLock { _ in throw Failure() }
            }
            let isInside = Mutex(false)
            let work = Task {
                try await fixture.lock("second").withLock { _ in
                    isInside.withLock { $0 = true }
                    try await Task.sleep(for: .seconds(1000))
                }
            }
            try await until { isInside.withLock { $0 } }
            work.cancel()
            await #expect(throws: CancellationError.self) { try await work.value }
            try await fixture.lock("third").withLock(waitingUpTo: .zero) { _ in }
        }
    }

    @Test func aFullRedisStillKnowsWhoHoldsTheLock() async throws {
        try await LockFixture.run { fixture in
            try fixture.server.command("CONFIG SET maxmemory 1")
            try await fixture.lock("first").withLock { fence in
                #expect(fence.number == 1)
            }
            try fixture.server.command("CONFIG SET maxmemory 0")
        }
    }

    @Test func whenALeaderStopsTheNextOneLeads() async throws {
        try await LockFixture.run { fixture in
            let leaders = Leaders()
            func candidate(_ name: String) -> ServiceGroup {
                let election = LeaderElection(lock: fixture.lock(name), logger: logger) {
                    _ in
                    leaders.add(name)
                    try await Task.sleep(for: .seconds(1000))
                }
                return ServiceGroup(configuration: .init(services: [.init(service: election)], logger: logger))
            }
            let groups = ["a", "b", "c"].map(candidate)
            let running = groups.map { group in Task { try await group.run() } }
            for count in 1...3 {
                try await until { leaders.all.count == count }
                let leader = try #require(leaders.all.last)
                let index = try #require(["a", "b", "c"].firstIndex(of: leader))
                await groups[index].triggerGracefulShutdown()
                try await running[index].value
            }
            #expect(Set(leaders.all) == ["a", "b", "c"])
        }
    }
}
