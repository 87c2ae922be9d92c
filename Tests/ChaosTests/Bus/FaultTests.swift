import ChaosWorkload
import Domain
import Redis
import Synchronization
import Testing

/// Each fault by itself, under load. What it does to the accounting is the same for all: nothing.
@Suite(.serialized, .timeLimit(.minutes(5))) struct FaultTests {
    @Test(arguments: Fault.allCases) func noEventIsLostRepeatedOrOvertaken(_ fault: Fault) async throws {
        try await ChaosSystem.run { system in
            let verdict = try await system.underLoad(publishers: 4, seed: 1) {
                let (replica, group) = (system.replicas[0], ChaosSystem.groups[0])
                // In the middle of its work.
                try await system.until { try await system.effects(of: group) > 100 }
                try await system.inflict(fault, on: replica, for: system.timing.lease * 2)
                let before = try await system.effects(of: group)
                // It goes on afterwards.
                try await system.until { try await system.effects(of: group) > before + 100 }
            }
            #expect(verdict.isClean, "\(fault): \(verdict)")
            #expect(verdict.ok > 100)
            #expect(system.failures.withLock { $0 } == [])
        }
    }

    @Test func twentySecondsWithoutRedisCostNothingButTime() async throws {
        try await ChaosSystem.run { system in
            let verdict = try await system.underLoad(publishers: 6, seed: 2) {
                try await system.until { try await system.effects(of: "markers") > 100 }
                try await system.freezeEverything(for: .seconds(20))
                let before = try await system.effects(of: "markers")
                try await system.until { try await system.effects(of: "markers") > before + 100 }
            }
            #expect(verdict.isClean, "\(verdict)")
            #expect(verdict.failed + verdict.unknown > 0)
        }
    }

    @Test func clocksAnHourWrongChangeNothing() async throws {
        try await ChaosSystem.run { system in
            let begin = Timestamp.now.milliseconds
            try await system.until { system.replicas.allSatisfy { $0.reportedTime != nil } }
            // The clocks are wrong indeed, give or take what the processes took to start.
            let errors = try system.replicas[..<2].map { try #require($0.reportedTime) / 1000 - Int(begin) / 1000 }
            #expect((-3660 ... -3590).contains(errors[0]))
            #expect((3540...3610).contains(errors[1]))
            let verdict = try await system.underLoad(publishers: 4, seed: 3) {
                try await system.until { try await system.effects(of: "counters") > 200 }
                // The one that is late and the one that is early take over from each other.
                for replica in [system.replicas[2], system.replicas[3], system.replicas[2]] {
                    try await system.inflict(.replicaKilled, on: replica, for: system.timing.lease * 3)
                }
            }
            #expect(verdict.isClean, "\(verdict)")
        }
    }
}

extension ChaosSystem {
    /// Looks until `condition` holds, also while Redis is away; the time limit of the test bounds it.
    func until(_ condition: () async throws -> Bool) async throws {
        while true {
            do {
                if try await condition() { return }
            } catch is RedisError {}
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// How many effects a group has made.
    func effects(of group: String) async throws -> Int {
        while true {
            do {
                return try await effectCount(group, exams: 24)
            } catch is RedisError {
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }
}
