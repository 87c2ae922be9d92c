import Domain
import EventBus
import Redis
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct ExactlyOnceTests {
    @Test func twentyThousandEventsTakeEffectOnceAndInOrderWhileOwnersCrash() async throws {
        let total = 20_000
        let exams = (0..<40).map { ExamID("exam-\($0)") }
        // Replicas that end one after the other make no event a poisonous one.
        try await BusFixture.run(BusFixture.quick { $0.maxRetries = 10 }) { fixture in
            func start(_ name: String) throws -> Replica {
                let client = RedisClient(
                    configuration: try RedisConfiguration(url: fixture.server.url), logger: BusFixture.logger)
                return try fixture.start(name, [EffectHandler(client: client, keys: fixture.bus.keys)])
            }
            var replicas = [try start("r0"), try start("r1"), try start("r2")]
            async let publishing: Void = {
                for first in stride(from: 0, to: total, by: 200) {
                    try await fixture.bus.publish(
                        (first..<first + 200).map { event($0, exam: exams[$0 % exams.count]) })
                }
            }()
            func applied() async throws -> Int {
                var count = 0
                for partition in try await fixture.bus.statistics() where !partition.groups.isEmpty {
                    count += partition.length - (partition.groups.first?.lag ?? 0)
                }
                return count
            }
            // Each crash comes when another part has been handled; each time one more takes the place.
            for crash in 1...4 {
                let goal = total / 6 * crash
                try await until { try await applied() >= goal }
                await replicas.removeFirst().crash()
                replicas.append(try start("r\(crash + 2)"))
            }
            try await replicas.removeFirst().leave()
            try await publishing
            try await until { try await applied() == total }
            let effect = EffectHandler(client: fixture.client, keys: fixture.bus.keys)
            for (index, exam) in exams.enumerated() {
                let list = effect.list(exam, fixture.bus.partition(of: exam))
                let numbers = try await fixture.client.send(["LRANGE", list, 0, -1]).array?.compactMap(\.int)
                #expect(numbers == Array(stride(from: index, to: total, by: exams.count)))
            }
            #expect(try await fixture.bus.deadLetters().deadLetters.isEmpty)
            for replica in replicas { try await replica.leave() }
        }
    }

    @Test func noEventIsOvertakenWhenRepliesAreLost() async throws {
        let total = 6000
        let exams = (0..<16).map { ExamID("exam-\($0)") }
        // A lease no busy machine outlasts: all that happens here is the loss of connections.
        try await BusFixture.run(BusFixture.quick { $0.leaseDuration = .seconds(30) }) { fixture in
            let effect = EffectHandler(client: fixture.client, keys: fixture.bus.keys)
            let replica = try fixture.start("r1", [effect])
            try await until { try await fixture.owners().allSatisfy { $0 == "r1" } }
            for first in stride(from: 0, to: total, by: 100) {
                try await fixture.bus.publish(
                    (first..<first + 100).map { event($0, exam: exams[$0 % exams.count]) })
                let clients = try await fixture.client.send(["CLIENT", "LIST"]).string ?? ""
                for line in clients.split(separator: "\n") where line.contains("name=zhiyue:graders:r1") {
                    let id = line.split(separator: " ")[0].dropFirst(3)
                    _ = try? await fixture.client.send(["CLIENT", "KILL", "ID", id])
                }
            }
            try await until { try await fixture.lag() == 0 }
            for (index, exam) in exams.enumerated() {
                let list = effect.list(exam, fixture.bus.partition(of: exam))
                let numbers = try await fixture.client.send(["LRANGE", list, 0, -1]).array?.compactMap(\.int)
                #expect(numbers == Array(stride(from: index, to: total, by: exams.count)))
            }
            try await replica.leave()
        }
    }
}
