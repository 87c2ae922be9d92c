import Domain
import FoundationEssentials
import Logging
import Redis
import TestSupport
import Testing

@testable import EventBus

/// What a network and a full or read-only Redis do to a subscriber.
@Suite(.timeLimit(.minutes(2))) struct NetworkFaultTests {
    @Test func aReadThatArrivesAfterItsCallerHasGivenUpTakesNoEventsAway() async throws {
        let configuration = BusFixture.quick {
            $0.blockDuration = .milliseconds(200)
            $0.leaseDuration = .seconds(25)
            $0.batchSize = 4
            $0.maxBufferedEvents = 4
        }
        try await BusFixture.run(configuration) { fixture in
            let gate = Gate()
            let recorder = Recorder { stored, _ in
                if stored.number == 0 { try await gate.pass() }
            }
            let (replica, network) = try await fixture.startBehindNetwork("r1", [recorder])
            try await until { try await fixture.owners().allSatisfy { $0 == "r1" } }
            let first = try await fixture.readers(of: "r1")
            // The next read is on its way when the reader gives up and connects anew.
            await network.freezeExistingConnections()
            try await until {
                let now = try await fixture.readers(of: "r1")
                return !now.isSubset(of: first)
            }
            // More than the new reader has room for.
            try await fixture.bus.publish((0..<40).map { event($0) })
            try await until { recorder.numbers == [0] }
            await network.thaw()
            try await until { try await fixture.readers(of: "r1").isDisjoint(with: first) }
            gate.open()
            try await until { recorder.numbers.contains(39) }
            #expect(recorder.numbers == Array(0..<40))
            try await replica.leave()
            await network.stop()
        }
    }

    @Test func theOwnerBeforeADeadOneIsCutOffToo() async throws {
        try await BusFixture.run { fixture in
            let (first, network) = try await fixture.startBehindNetwork("r1", [Recorder()])
            try await until { try await fixture.owners().allSatisfy { $0 == "r1" } }
            try await until { try fixture.server.command("INFO clients").contains("blocked_clients:1") }
            await network.freeze(.both)
            // Another takes everything from it, and dies before it does anything else.
            for partition in 0..<8 {
                let keys = fixture.bus.keys
                let owner =
                    try await fixture.client.send(["GET", keys.owner(partition, group: "graders")]).string ?? ""
                _ = try await fixture.client.evaluate(
                    EventBusScripts.acquire,
                    keys: [
                        keys.owner(partition, group: "graders"), keys.fence(partition, group: "graders"),
                        keys.events(partition), keys.readers(partition, group: "graders"), keys.groups(partition),
                    ], arguments: ["r2~0", 60_000, owner, "graders", "0", 60_000])
            }
            let recorder = Recorder()
            let third = try fixture.start("r3", [recorder])
            try await until { try await fixture.owners().allSatisfy { $0 == "r3" } }
            try await fixture.bus.publish((0..<10).map { event($0) })
            try await until { recorder.numbers.contains(9) }
            #expect(recorder.numbers == Array(0..<10))
            await network.thaw()
            try await third.leave()
            await first.crash()
            await network.stop()
        }
    }

    @Test func anOutageIsNoFaultOfTheEvent() async throws {
        try await BusFixture.run { fixture in
            let effect = EffectHandler(client: fixture.client, keys: fixture.bus.keys)
            let poison = Recorder(name: "poison") { stored, _ in
                if stored.number == 5 { throw EventRejection("told to") }
            }
            try await fixture.bus.publish((0..<10).map { event($0) })
            try fixture.server.command("CONFIG SET maxmemory 1")
            // Partitions are taken and kept also now.
            let replica = try fixture.start("r1", [poison, effect])
            try await until { replica.subscriber.statistics.postponed > 20 }
            #expect(try await fixture.bus.deadLetters().deadLetters.isEmpty)
            try fixture.server.command("CONFIG SET maxmemory 0")
            try await until { try await fixture.lag() == 0 }
            let list = effect.list("exam-1", fixture.bus.partition(of: "exam-1"))
            let numbers = try await fixture.client.send(["LRANGE", list, 0, -1]).array?.compactMap(\.int)
            #expect(numbers == [0, 1, 2, 3, 4, 6, 7, 8, 9])
            #expect(try await fixture.bus.deadLetters().deadLetters.map { $0.event?.subject } == ["subject-5"])
            try await replica.leave()
        }
    }

    @Test func aDeadLetterIsWrittenEvenWhenMemoryIsFull() async throws {
        try await BusFixture.run { fixture in
            let poison = Recorder { _, _ in throw EventRejection("told to") }
            try await fixture.bus.publish((0..<3).map { event($0) })
            try fixture.server.command("CONFIG SET maxmemory 1")
            let replica = try fixture.start("r1", [poison])
            try await until { replica.subscriber.statistics.deadLettered == 3 }
            #expect(
                try await fixture.bus.deadLetters().deadLetters.map { $0.event?.subject }
                    == ["subject-0", "subject-1", "subject-2"])
            #expect(try await fixture.lag() == 0)
            try await replica.leave()
        }
    }

    @Test func aBatchKeepsItsOrderWhenRedisHasForgottenItsScripts() async throws {
        try await BusFixture.run { fixture in
            func batch(_ numbers: Range<Int>) -> [EventEnvelope] {
                numbers.map { number in
                    var event = event(number)
                    // Every third is too large for the stream, and cannot be compressed.
                    if number.isMultiple(of: 3) {
                        event.data = (0..<30_000).map { _ in UInt8.random(in: .min ... .max) }
                    }
                    return event
                }
            }
            try await fixture.bus.publish(batch(0..<10))
            try fixture.server.command("SCRIPT FLUSH")
            try await fixture.bus.publish(batch(10..<20))
            let events = try await fixture.bus.history(EventQuery()).events
            #expect(events.map(\.event.subject) == (0..<20).map { "subject-\($0)" })
        }
    }

    @Test func acknowledgementsThatAreRefusedForATimeAreSentAgain() async throws {
        try await BusFixture.run(BusFixture.quick { $0.leaseDuration = .seconds(25) }) { fixture in
            let gate = Gate()
            let recorder = Recorder { _, _ in try await gate.pass() }
            let replica = try fixture.start("r1", [recorder])
            try await fixture.bus.publish(event(1))
            try await until { recorder.numbers == [1] }
            // A replica that follows nobody refuses to write.
            try fixture.server.command("REPLICAOF 127.0.0.1 1")
            gate.open()
            try await until { replica.subscriber.statistics.handled == 1 }
            try fixture.server.command("CONFIG RESETSTAT")
            // Beats, and the acknowledgement in any case.
            try await until {
                let reply = try fixture.server.command("INFO errorstats")
                let count = reply.split(separator: "READONLY:count=").last?.prefix { $0.isNumber }
                return count.flatMap { Int($0) } ?? 0 > 10
            }
            try fixture.server.command("REPLICAOF NO ONE")
            try await until { try await fixture.lag() == 0 }
            #expect(recorder.numbers == [1])
            try await replica.leave()
        }
    }
}

extension BusFixture {
    /// A replica whose connections go through a network that can be disturbed.
    fileprivate func startBehindNetwork(
        _ name: String, _ handlers: [any EventHandler]
    ) async throws -> (Replica, FreezingProxy) {
        let network = try await FreezingProxy(
            server: server.socketPath, listeningAt: server.directory.appendingPathComponent("network.sock").path)
        var options = try RedisConfiguration(url: network.url)
        options.commandTimeout = .milliseconds(500)
        let client = RedisClient(configuration: options, logger: Self.logger)
        let bus = EventBus(client: client, keys: bus.keys, configuration: bus.configuration, source: "/zhiyue/\(name)")
        let subscriber = EventSubscriber(
            bus: bus, group: "graders", replica: name, handlers: handlers, logger: Self.logger)
        return (Replica(subscriber, client: client), network)
    }

    /// The identifiers of a replica's reading connections.
    fileprivate func readers(of replica: String) async throws -> Set<String> {
        let list = try await client.send(["CLIENT", "LIST"]).string ?? ""
        return list.split(separator: "\n").reduce(into: []) { readers, line in
            let fields = line.split(separator: " ")
            if fields.contains(where: { $0.hasPrefix("name=zhiyue:graders:\(replica)~") }) {
                readers.insert(String(fields[0]))
            }
        }
    }
}
