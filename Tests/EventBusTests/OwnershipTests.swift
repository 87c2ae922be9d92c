import Domain
import EventBus
import Redis
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct OwnershipTests {
    @Test func partitionsAreSharedOutAsReplicasComeGoAndCrash() async throws {
        try await BusFixture.run { fixture in
            func shares() async throws -> [String: Int] {
                try await fixture.owners().reduce(into: [:]) { shares, owner in
                    shares[owner ?? "nobody", default: 0] += 1
                }
            }
            let first = try fixture.start("r1", [Recorder()])
            try await until { try await shares() == ["r1": 8] }
            let second = try fixture.start("r2", [Recorder()])
            try await until { try await shares() == ["r1": 4, "r2": 4] }
            let third = try fixture.start("r3", [Recorder()])
            try await until { try await shares().values.sorted() == [2, 3, 3] }
            await second.crash()
            try await until { try await shares() == ["r1": 4, "r3": 4] }
            try await first.leave()
            try await until { try await shares() == ["r3": 8] }
            try await third.leave()
            #expect(try await shares() == ["nobody": 8])
        }
    }

    @Test func aReplicaThatLeavesFinishesWhatItHandlesAndTheNextGoesOnBehindIt() async throws {
        try await BusFixture.run { fixture in
            let gate = Gate()
            let slow = Recorder { stored, _ in
                if stored.number == 0 { try await gate.pass() }
            }
            let next = Recorder()
            let first = try fixture.start("r1", [slow])
            try await fixture.bus.publish((0..<50).map { event($0) })
            try await until { slow.numbers == [0] }
            async let leaving: Void = first.leave()
            let second = try fixture.start("r2", [next])
            // What is free by now is taken, the busy partition is not.
            let busy = fixture.bus.partition(of: "exam-1")
            try await until { try await fixture.owners().filter { $0 == "r2" }.count == 7 }
            #expect(try await fixture.owners()[busy] == "r1")
            gate.open()
            try await leaving
            try await until { next.numbers.count == 49 }
            #expect(slow.numbers == [0])
            #expect(next.numbers == Array(1..<50))
            try await second.leave()
        }
    }

    @Test func aCrashedOwnersEventsAreHandledAgainByTheNext() async throws {
        try await BusFixture.run { fixture in
            let stuck = Recorder { _, _ in try await Task.sleep(for: .seconds(1000)) }
            let next = Recorder()
            let first = try fixture.start("r1", [stuck])
            try await fixture.bus.publish((0..<300).map { event($0) })
            try await until { stuck.numbers == [0] }
            await first.crash()
            let second = try fixture.start("r2", [next])
            try await until { next.numbers.count == 300 }
            #expect(next.numbers == Array(0..<300))
            try await until { try await fixture.lag() == 0 }
            try await second.leave()
        }
    }

    @Test func aFrozenOwnersBlockedReadGetsNoMoreEvents() async throws {
        try await BusFixture.run { fixture in
            let stream = fixture.bus.keys.events(fixture.bus.partition(of: "exam-1"))
            let owner = fixture.bus.keys.owner(fixture.bus.partition(of: "exam-1"), group: "graders")
            _ = try await fixture.client.send(["XGROUP", "CREATE", stream, "graders", "0", "MKSTREAM"])
            _ = try await fixture.client.send(["SET", owner, "frozen~1 1", "PX", 600_000])
            let frozen = RedisClient(
                configuration: try RedisConfiguration(url: fixture.server.url), logger: BusFixture.logger)
            // An owner that no longer beats, but whose connection still waits for events.
            let blocked = Task {
                try await frozen.withDedicatedConnection { connection in
                    _ = try await connection.send(["CLIENT", "SETNAME", "zhiyue:graders:frozen~1"])
                    return try await connection.send(
                        ["XREADGROUP", "GROUP", "graders", "owner", "BLOCK", 0, "STREAMS", stream, ">"],
                        blockingFor: .seconds(60))
                }
            }
            try await until { try fixture.server.command("INFO clients").contains("blocked_clients:1") }
            let recorder = Recorder()
            let replica = try fixture.start("r1", [recorder])
            try await until { try await fixture.owners().allSatisfy { $0 == "r1" } }
            await #expect(throws: RedisError.self) { try await blocked.value }
            try await fixture.bus.publish((0..<10).map { event($0) })
            try await until { recorder.numbers.count == 10 }
            #expect(recorder.numbers == Array(0..<10))
            await frozen.close()
            try await replica.leave()
        }
    }

    @Test func anEffectUnderAnOldFenceIsRefused() async throws {
        try await BusFixture.run { fixture in
            let effect = EffectHandler(client: fixture.client, keys: fixture.bus.keys)
            let recorder = Recorder()
            let first = try fixture.start("r1", [recorder])
            try await fixture.bus.publish(event(1))
            try await until { recorder.all.count == 1 }
            let seen = try #require(recorder.all.first)
            #expect(try await effect.apply(seen.stored, guarding: seen.context.effectGuard))
            try await first.leave()
            let second = try fixture.start("r2", [Recorder()])
            try await until { try await fixture.owners().allSatisfy { $0 == "r2" } }
            let error = await #expect(throws: EventBusError.self) {
                try await effect.apply(seen.stored, guarding: seen.context.effectGuard.step("again"))
            }
            #expect(error?.code == .staleOwner)
            try await second.leave()
        }
    }

    @Test func anEffectIsMadeOncePerPositionAndStep() async throws {
        try await BusFixture.run { fixture in
            let effect = EffectHandler(client: fixture.client, keys: fixture.bus.keys)
            let recorder = Recorder()
            let replica = try fixture.start("r1", [recorder])
            // Within a millisecond and across milliseconds.
            try await fixture.bus.publish((0..<20).map { event($0) })
            try await fixture.bus.publish((20..<25).map { event($0) })
            try await until { recorder.all.count == 25 }
            for seen in recorder.all {
                #expect(try await effect.apply(seen.stored, guarding: seen.context.effectGuard))
            }
            for seen in recorder.all {
                #expect(try await effect.apply(seen.stored, guarding: seen.context.effectGuard) == false)
            }
            #expect(
                try await effect.apply(recorder.all[0].stored, guarding: recorder.all[0].context.effectGuard.step("b")))
            try await replica.leave()
        }
    }

    @Test func aGroupRecoversFromARedisThatForgotEverything() async throws {
        try await BusFixture.run { fixture in
            let recorder = Recorder()
            let replica = try fixture.start("r1", [recorder])
            try await fixture.bus.publish(event(1))
            try await until { recorder.numbers == [1] }
            try fixture.server.flush()
            try await fixture.bus.publish(event(2))
            try await until { recorder.numbers == [1, 2] }
            try await replica.leave()
        }
    }

    @Test func aGroupRecoversWhenRedisRestartsAndWhenItsGroupIsDestroyed() async throws {
        try await BusFixture.run { fixture in
            let recorder = Recorder()
            let replica = try fixture.start("r1", [recorder])
            try fixture.server.command("CONFIG SET appendfsync always")
            try await fixture.bus.publish(event(1))
            try await until { recorder.numbers == [1] }
            try await until { try await fixture.lag() == 0 }
            try fixture.server.restart()
            let second = event(2)
            // The first try may still use a connection whose end has not been noticed.
            try await until { (try? await fixture.bus.publish(second, deduplicationKey: "second")) != nil }
            try await until { recorder.numbers == [1, 2] }
            try await until { try await fixture.lag() == 0 }
            let stream = fixture.bus.keys.events(fixture.bus.partition(of: "exam-1"))
            _ = try await fixture.client.send(["XGROUP", "DESTROY", stream, "graders"])
            try await fixture.bus.publish(event(3))
            // A group made anew begins at the first event.
            try await until { recorder.numbers == [1, 2, 1, 2, 3] }
            try await replica.leave()
        }
    }

    @Test func entriesTrimmedWhilePendingAreCountedAsLost() async throws {
        try await BusFixture.run { fixture in
            let stuck = Recorder { _, _ in try await Task.sleep(for: .seconds(1000)) }
            let first = try fixture.start("r1", [stuck])
            try await fixture.bus.publish((0..<10).map { event($0) })
            try await until { stuck.numbers == [0] }
            let stream = fixture.bus.keys.events(fixture.bus.partition(of: "exam-1"))
            try await until { try await fixture.client.send(["XPENDING", stream, "graders"]).array?.first?.int == 10 }
            await first.crash()
            _ = try await fixture.client.send(["XTRIM", stream, "MAXLEN", 4])
            let next = Recorder()
            let second = try fixture.start("r2", [next])
            try await until { next.numbers == [6, 7, 8, 9] }
            try await until { try await fixture.lag() == 0 }
            #expect(second.subscriber.statistics.lost == 6)
            try await second.leave()
        }
    }
}
