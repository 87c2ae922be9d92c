import Domain
import Redis
import TestSupport
import Testing

@testable import EventBus

@Suite(.timeLimit(.minutes(2))) struct RetentionTests {
    private static func configuration() -> EventBusConfiguration {
        BusFixture.quick { $0.retention = .zero }
    }

    private func stream(_ fixture: BusFixture) -> String {
        fixture.bus.keys.events(fixture.bus.partition(of: "exam-1"))
    }

    private func group(_ name: String, _ fixture: BusFixture) async throws -> PartitionStatistics.Group {
        let partition = fixture.bus.partition(of: "exam-1")
        return try #require(try await fixture.bus.statistics()[partition].groups.first { $0.group == name })
    }

    private func read(_ count: Int, by group: String, _ fixture: BusFixture) async throws {
        _ = try await fixture.client.send(
            ["XREADGROUP", "GROUP", group, "owner", "COUNT", count, "STREAMS", stream(fixture), ">"])
    }

    /// As if the group's last sign of life were too long ago.
    private func forget(_ group: String, _ fixture: BusFixture) async throws {
        let partition = fixture.bus.partition(of: "exam-1")
        _ = try await fixture.client.send(["HSET", fixture.bus.keys.groups(partition), group, 1])
    }

    @Test func aForgottenGroupStopsHoldingEventsAndItsLossIsCountedOnce() async throws {
        try await BusFixture.run(Self.configuration()) { fixture in
            // Nodes of the stream hold 100 entries; whole ones are removed.
            try await fixture.bus.publish((0..<1000).map { event($0) })
            for name in ["gone", "live"] {
                _ = try await fixture.client.send(["XGROUP", "CREATE", stream(fixture), name, "0"])
            }
            try await read(300, by: "gone", fixture)
            try await read(1000, by: "live", fixture)
            let all = try await fixture.client.send(["XPENDING", stream(fixture), "live", "-", "+", 1000])
            let ids = (all.array ?? []).compactMap { $0.array?.first?.string }
            _ = try await fixture.client.send(RedisCommand("XACK", arguments: [stream(fixture), "live"] + ids))

            #expect(try await fixture.bus.trim() == TrimReport(removed: 0, lost: 0, forgotten: []))
            #expect(try await group("gone", fixture).liveSeconds ?? 0 > 7 * 24 * 3600 - 100)
            try await forget("gone", fixture)
            let report = try await fixture.bus.trim()
            #expect(report.forgotten == ["gone"])
            #expect(report.removed >= 900)
            // All of it was either pending or not even given out.
            #expect(report.lost == report.removed)
            #expect(try await group("gone", fixture).lost == report.lost)
            #expect(try await group("gone", fixture).liveSeconds ?? 0 < 0)
            #expect(try await group("live", fixture).lost == 0)
            #expect(try await fixture.bus.trim().lost == 0)
        }
    }

    @Test func membersRenewTheirGroup() async throws {
        let configuration = BusFixture.quick { configuration in
            configuration.ownerKeyLifetime = .milliseconds(1600)
            configuration.groupLifetime = .seconds(60)
        }
        try await BusFixture.run(configuration) { fixture in
            let replica = try fixture.start("r1", [Recorder()])
            try await until { try await fixture.owners().allSatisfy { $0 == "r1" } }
            try await forget("graders", fixture)
            try await until { try await group("graders", fixture).liveSeconds ?? 0 > 0 }
            #expect(try await fixture.bus.trim().forgotten.isEmpty)
            try await replica.leave()
        }
    }

    @Test func whatGoesBeyondTheGreatestLengthIsCountedAsLost() async throws {
        let configuration = BusFixture.quick { $0.maxLength = 200 }
        try await BusFixture.run(configuration) { fixture in
            let replica = try fixture.start("r1", [Recorder()])
            try await fixture.bus.publish(event(0))
            try await until { try await fixture.owners().allSatisfy { $0 == "r1" } }
            try await until { try await fixture.lag() == 0 }
            try await replica.leave()
            // Nobody reads; publishing itself removes the oldest.
            try await fixture.bus.publish((1...1000).map { event($0) })
            let length = try await fixture.client.send(["XLEN", stream(fixture)]).int ?? 0
            #expect(length < 400)
            let report = try await fixture.bus.trim()
            // All but the one that was handled.
            #expect(report.lost == 1000 - length + report.removed)
            #expect(try await group("graders", fixture).lost == report.lost)
            #expect(try await fixture.bus.trim().lost == 0)
            let recorder = Recorder()
            let next = try fixture.start("r2", [recorder])
            try await until { try await fixture.lag() == 0 }
            #expect(recorder.numbers.last == 1000)
            #expect(recorder.numbers.count + report.lost == 1000)
            try await next.leave()
        }
    }

    @Test func afterARestartOfRedisWhatWasHandledIsNotCountedAsLost() async throws {
        try await BusFixture.run(Self.configuration()) { fixture in
            let replica = try fixture.start("r1", [Recorder()])
            try await fixture.bus.publish((0..<1000).map { event($0) })
            try await until { try await fixture.owners().allSatisfy { $0 == "r1" } }
            try await until { try await fixture.lag() == 0 }
            try await replica.leave()
            fixture.server.kill()
            try fixture.server.restart()
            try await until { (try? await fixture.client.send(["PING"])) != nil }
            #expect(try await fixture.lag() == 0)
            let report = try await fixture.bus.trim()
            #expect(report.removed >= 900)
            #expect(report.lost == 0)
            #expect(try await group("graders", fixture).lost == 0)
        }
    }

    @Test func pendingEntriesThatWereTrimmedAreCountedForTheGroup() async throws {
        try await BusFixture.run { fixture in
            let stuck = Recorder { _, _ in try await Task.sleep(for: .seconds(1000)) }
            let first = try fixture.start("r1", [stuck])
            try await fixture.bus.publish((0..<10).map { event($0) })
            try await until { stuck.numbers == [0] }
            try await until {
                try await fixture.client.send(["XPENDING", stream(fixture), "graders"]).array?.first?.int == 10
            }
            await first.crash()
            _ = try await fixture.client.send(["XTRIM", stream(fixture), "MAXLEN", 4])
            let second = try fixture.start("r2", [Recorder()])
            try await until { try await group("graders", fixture).lost == 6 }
            try await second.leave()
        }
    }

    @Test func largeDataGoesWithItsEvents() async throws {
        try await BusFixture.run(Self.configuration()) { fixture in
            var generator = SystemRandomNumberGenerator()
            let noise = (0..<20_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
            for number in 0..<300 {
                var large = event(number)
                large.data = noise
                try await fixture.bus.publish(large)
            }
            let aside = fixture.bus.keys.aside(fixture.bus.partition(of: "exam-1"))
            #expect(try await fixture.client.send(["XLEN", aside]).int == 300)
            _ = try await fixture.client.send(["XGROUP", "CREATE", stream(fixture), "late", "$"])
            #expect(try await fixture.bus.trim().removed >= 100)
            let left = try await fixture.client.send(["XLEN", stream(fixture)]).int ?? 0
            #expect(left < 300)
            #expect(try await fixture.client.send(["XLEN", aside]).int == left)
            #expect(try await fixture.bus.history(EventQuery(limit: 1000)).events.count == left)
        }
    }

    @Test func memoryPerEventIsTold() async throws {
        try await BusFixture.run { fixture in
            try await fixture.bus.publish((0..<500).map { event($0) })
            let statistics = try await fixture.bus.statistics()[fixture.bus.partition(of: "exam-1")]
            #expect((50...600).contains(statistics.memoryPerEvent ?? 0))
            #expect(try await fixture.bus.statistics().filter { $0.memoryPerEvent == nil }.count == 7)
        }
    }

    @Test func theGroupOfAReplayThatIsForgottenIsRemoved() async throws {
        try await BusFixture.run(Self.configuration()) { fixture in
            try await fixture.bus.publish((0..<10).map { event($0) })
            let replay = try await fixture.bus.startReplay(ReplayRequest(target: .temporaryGroup))
            _ = try await fixture.bus.trim()
            #expect(try await group(replay.group, fixture).lag == 10)
            try await forget(replay.group, fixture)
            #expect(try await fixture.bus.trim().forgotten == [replay.group])
            let partition = fixture.bus.partition(of: "exam-1")
            #expect(try await fixture.bus.statistics()[partition].groups.isEmpty)
        }
    }
}
