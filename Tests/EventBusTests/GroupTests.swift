import Domain
import EventBus
import Redis
import TestSupport
import Testing

/// Groups that come late, and replicas that come and go.
@Suite(.timeLimit(.minutes(2))) struct GroupTests {
    @Test func aGroupAddedLateBeginsWhereItsServiceWants() async throws {
        try await BusFixture.run { fixture in
            let first = Recorder()
            let replica = try fixture.start("r1", [first])
            try await fixture.bus.publish((0..<20).map { event($0) })
            try await until { first.numbers.count == 20 }
            let whole = Recorder()
            let fresh = Recorder()
            let late = [
                try fixture.start("r2", group: "whole", [whole]),
                try fixture.start("r3", group: "fresh", startingAt: .now, [fresh]),
            ]
            try await until { try await fixture.owners(of: "fresh").allSatisfy { $0 == "r3" } }
            try await fixture.bus.publish((20..<30).map { event($0) })
            try await until { whole.numbers.count == 30 && fresh.numbers.count == 10 }
            #expect(whole.numbers == Array(0..<30))
            #expect(fresh.numbers == Array(20..<30))
            // Once it is there it goes on where it was, wherever its service wants to begin.
            try await late[1].leave()
            try await fixture.bus.publish((30..<40).map { event($0) })
            let again = Recorder()
            let next = try fixture.start("r4", group: "fresh", startingAt: .now, [again])
            try await until { again.numbers.count == 10 }
            #expect(again.numbers == Array(30..<40))
            for replica in [replica, late[0], next] { try await replica.leave() }
        }
    }

    @Test func theNextOwnerDoesNotWaitForTheLeaseOfOneThatLeft() async throws {
        // Nobody could wait for such a lease here.
        try await BusFixture.run(
            BusFixture.quick { configuration in
                configuration.leaseDuration = .seconds(1000)
                configuration.ownerKeyLifetime = .seconds(3000)
            }
        ) { fixture in
            let (before, after) = (Recorder(), Recorder())
            let first = try fixture.start("r1", [before])
            let second = try fixture.start("r2", [after])
            try await until { Set(try await fixture.owners().compactMap { $0 }) == ["r1", "r2"] }
            try await first.leave()
            try await until { try await fixture.owners().allSatisfy { $0 == "r2" } }
            try await fixture.bus.publish((0..<40).map { event($0, exam: ExamID("exam-\($0)")) })
            try await until { after.numbers.count == 40 }
            try await second.leave()
        }
    }

    @Test func aChangeMovesFewPartitionsAndThenNone() async throws {
        // A lease no busy machine outlasts: all moves have a reason.
        try await BusFixture.run(BusFixture.quick { $0.leaseDuration = .seconds(30) }) { fixture in
            func shares() async throws -> [Int] {
                Dictionary(grouping: try await fixture.owners().compactMap { $0 }) { $0 }.values.map(\.count).sorted()
            }
            func acquired(_ replicas: [Replica]) -> Int {
                replicas.reduce(0) { $0 + $1.subscriber.statistics.acquired }
            }
            var replicas: [Replica] = []
            let expected: [[Int]] = [[8], [4, 4], [2, 3, 3], [2, 2, 2, 2]]
            for (index, expected) in expected.enumerated() {
                replicas.append(try fixture.start("r\(index)", [Recorder()]))
                try await until { try await shares() == expected }
            }
            // 8 at first, then 4, 2 and 2 to those that came.
            #expect(acquired(replicas) == 16)
            // Twenty beats of everybody later: each asks for all owners.
            func reads() throws -> Int {
                let line = try fixture.server.command("INFO commandstats").split(separator: "\r\n")
                    .first { $0.hasPrefix("cmdstat_get:calls=") }
                return line?.dropFirst(18).split(separator: ",").first.flatMap { Int($0) } ?? 0
            }
            let before = try reads()
            try await until { try reads() >= before + 4 * 8 * 20 }
            #expect(acquired(replicas) == 16)
            #expect(try await shares() == [2, 2, 2, 2])
            for replica in replicas { try await replica.leave() }
        }
    }

    @Test func eventsOfAnUnknownTypeAreCountedAndBlockNothing() async throws {
        try await BusFixture.run { fixture in
            let known = Recorder(types: ["exam.created"])
            let replica = try fixture.start("r1", [known])
            try await fixture.bus.publish([
                event(1, type: "exam.created"), event(2, type: "of.the.future"), event(3, type: "exam.created"),
            ])
            try await until { try await fixture.lag() == 0 && known.numbers.count == 2 }
            #expect(known.numbers == [1, 3])
            #expect(replica.subscriber.statistics.skipped == 1)
            #expect(try await fixture.bus.deadLetters().deadLetters.isEmpty)
            try await replica.leave()
        }
    }

    @Test func aSubscriberWithAnotherNumberOfPartitionsIsRefused() async throws {
        try await BusFixture.run { fixture in
            let bus = EventBus(
                client: fixture.client, keys: fixture.bus.keys,
                configuration: BusFixture.quick { $0.partitions = 4 }, source: "/zhiyue/test")
            let subscriber = EventSubscriber(
                bus: bus, group: "graders", replica: "r1", handlers: [Recorder()], logger: BusFixture.logger)
            let error = await #expect(throws: EventBusError.self) { try await subscriber.run() }
            #expect(error?.code == .partitionCountMismatch)
        }
    }
}
