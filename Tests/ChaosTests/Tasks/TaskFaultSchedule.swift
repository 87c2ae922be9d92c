import ChaosWorkload
import Foundation
import Synchronization
import TestSupport

/// Inflicts faults for a time, on processes, on their networks and on Redis, each at a pace of its own.
final class TaskFaultSchedule: Sendable {
    private enum ProcessFault: String {
        /// SIGKILL, in the middle of whatever it does; another process takes its place at once.
        case killed
        /// SIGSTOP, for longer than the lease.
        case stopped
        /// SIGTERM; another process takes its place when it has gone.
        case left
    }

    private enum NetworkFault: String, CaseIterable {
        case frozen
        case requestsFrozen
        case repliesFrozen
        case cut
    }

    private struct State {
        var busy: Set<String> = []
        var counts: [String: Int] = [:]
    }

    static let pace = Duration.milliseconds(250)

    private let system: TaskChaosSystem
    private let seed: UInt64
    /// Workers and producers in turn.
    private let processes: [ReplicaProcess]
    private let state = Mutex(State())

    init(system: TaskChaosSystem, seed: UInt64) {
        self.system = system
        self.seed = seed
        let pairs = (0..<max(system.workers.count, system.producers.count)).map { number in
            [system.workers, system.producers].compactMap { $0.indices.contains(number) ? $0[number] : nil }
        }
        processes = pairs.flatMap { $0 }
    }

    /// How often each fault was inflicted.
    var counts: [String: Int] { state.withLock { $0.counts } }

    /// Goes on for that time, and on a slow machine until everything is submitted, at most for three times as long.
    /// Everything is healed when it returns.
    func run(for duration: Duration) async throws {
        let begin = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.strikeProcesses(from: begin, for: duration) }
            group.addTask { try await self.disturbNetworks(from: begin, for: duration) }
            group.addTask { try await self.strikeRedis(from: begin, for: duration) }
            try await group.waitForAll()
        }
    }

    // MARK: Processes

    private func strikeProcesses(from begin: ContinuousClock.Instant, for duration: Duration) async throws {
        var random = SplitMix64(seed: seed &+ 1001)
        try await withThrowingTaskGroup(of: Void.self) { group in
            var turn = 0
            while lasts(since: begin, for: duration) {
                turn += 1
                try await Task.sleep(until: begin + Self.pace * turn)
                let chance = Int.random(in: 0..<10, using: &random)
                let fault: ProcessFault = chance < 6 ? .killed : chance < 8 ? .stopped : .left
                let time = system.timing.lease * Double.random(in: 1.2...2.5, using: &random)
                // Whoever is just being struck is passed over.
                let candidates = processes.indices.lazy.map { self.processes[(turn + $0) % self.processes.count] }
                guard let process = candidates.first(where: { self.occupy($0.name) }) else { continue }
                count("\(process.name.prefix { $0 != "-" })_\(fault.rawValue)")
                group.addTask {
                    defer { self.release(process.name) }
                    try await self.inflict(fault, on: process, for: time)
                }
            }
            try await group.waitForAll()
        }
    }

    private func inflict(_ fault: ProcessFault, on process: ReplicaProcess, for time: Duration) async throws {
        system.expectRunning(process)
        switch fault {
        case .killed:
            process.kill()
            try process.start()
        case .stopped:
            process.signal(SIGSTOP)
            try await Task.sleep(for: time)
            process.signal(SIGCONT)
        case .left:
            let status = try await process.leave()
            if status != 0 { system.failures.withLock { $0.append("\(process.name) left with status \(status)") } }
            try process.start()
        }
    }

    // MARK: Networks and Redis

    private func disturbNetworks(from begin: ContinuousClock.Instant, for duration: Duration) async throws {
        var random = SplitMix64(seed: seed &+ 1002)
        while true {
            let pause = Duration.milliseconds(Int.random(in: 200...1200, using: &random))
            try await Task.sleep(for: pause)
            guard lasts(since: begin, for: duration), let fault = NetworkFault.allCases.randomElement(using: &random),
                let network = processes.randomElement(using: &random)?.network
            else { return }
            let time = system.timing.lease * Double.random(in: 0.3...2, using: &random)
            count("network_\(fault.rawValue)")
            switch fault {
            case .frozen: try await network.freeze(.both, for: time)
            case .requestsFrozen: try await network.freeze(.requests, for: time)
            case .repliesFrozen: try await network.freeze(.replies, for: time)
            case .cut: await network.sever()
            }
        }
    }

    /// Kills it at regular times, and does something else to it in between.
    private func strikeRedis(from begin: ContinuousClock.Instant, for duration: Duration) async throws {
        var random = SplitMix64(seed: seed &+ 1003)
        let kills = max(2, Int(duration / .seconds(12)))
        var killed = 0
        while true {
            let pause = Duration.milliseconds(Int.random(in: 500...2500, using: &random))
            let nextKill = begin + duration * (Double(killed) + 0.5) / Double(kills)
            let next = killed < kills ? min(ContinuousClock.now + pause, nextKill) : ContinuousClock.now + pause
            try await Task.sleep(until: next)
            guard lasts(since: begin, for: duration) else { return }
            let fault: RedisFault
            if next == nextKill {
                killed += 1
                fault = .killed
            } else {
                fault = RedisFault.allCases.filter { $0 != .killed }.randomElement(using: &random) ?? .scriptsFlushed
            }
            count("redis_\(fault.rawValue)")
            try await system.server.inflict(
                fault, for: system.timing.lease * Double.random(in: 0.3...1.5, using: &random))
        }
    }

    // MARK: Inside

    private func lasts(since begin: ContinuousClock.Instant, for duration: Duration) -> Bool {
        let time = ContinuousClock.now - begin
        return time < duration || (!system.isSubmitted && time < duration * 3)
    }

    private func occupy(_ name: String) -> Bool {
        state.withLock { $0.busy.insert(name).inserted }
    }

    private func release(_ name: String) {
        state.withLock { _ = $0.busy.remove(name) }
    }

    private func count(_ fault: String) {
        state.withLock { $0.counts[fault, default: 0] += 1 }
    }
}
