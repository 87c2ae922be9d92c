import ChaosWorkload
import Synchronization

/// Inflicts faults at random for a time: up to three at once, on different subjects.
final class FaultSchedule: Sendable {
    private struct State {
        var busy: Set<String> = []
        var counts: [Fault: Int] = [:]
        var isCalm = false
    }

    private let system: ChaosSystem
    private let seed: UInt64
    private let state = Mutex(State())

    init(system: ChaosSystem, seed: UInt64) {
        self.system = system
        self.seed = seed
    }

    var counts: [Fault: Int] { state.withLock { $0.counts } }

    /// - Parameter longFreeze: How long nothing at all reaches Redis, once, in the middle; nil for never.
    func run(for duration: Duration, longFreeze: Duration? = nil) async throws {
        let end = ContinuousClock.now + duration
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<3 {
                group.addTask { try await self.lane(SplitMix64(seed: self.seed &+ 1000 &+ UInt64(lane)), until: end) }
            }
            if let longFreeze {
                group.addTask {
                    try await Task.sleep(for: (duration - longFreeze) / 2)
                    try await self.alone { try await self.system.freezeEverything(for: longFreeze) }
                }
            }
            try await group.waitForAll()
        }
    }

    private func lane(_ generator: SplitMix64, until end: ContinuousClock.Instant) async throws {
        var random = generator
        while ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(Int.random(in: 50...400, using: &random)))
            guard let fault = Fault.allCases.randomElement(using: &random),
                let replica = system.replicas.randomElement(using: &random)
            else { return }
            // Longer than the lease, for most.
            let duration = system.timing.lease * Double.random(in: 0.5...2.5, using: &random)
            let subject = fault.subject == .replica ? replica.name : "\(fault.subject)"
            let isFree = state.withLock { state in
                guard !state.isCalm, state.busy.insert(subject).inserted else { return false }
                state.counts[fault, default: 0] += 1
                return true
            }
            guard isFree else { continue }
            defer { state.withLock { _ = $0.busy.remove(subject) } }
            try await system.inflict(fault, on: replica, for: duration)
        }
    }

    /// Waits until no other fault lasts, and lets none begin meanwhile.
    private func alone(_ body: () async throws -> Void) async throws {
        state.withLock { $0.isCalm = true }
        while state.withLock({ !$0.busy.isEmpty }) { try await Task.sleep(for: .milliseconds(10)) }
        try await body()
        state.withLock { $0.isCalm = false }
    }
}
