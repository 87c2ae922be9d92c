import Domain
import Redis
import Testing

@testable import TaskQueue

@Suite struct QueuePropertyTests {
    /// Random calls on scripts and model; every answer and every count must agree.
    @Test(arguments: 1...12)
    func `the scripts do what the model says, whatever the order of the calls`(seed: UInt64) async throws {
        let fixture = try await QueueFixture(clock: true)
        let clock = try #require(fixture.clock)
        var random = SplitMix(state: seed)
        // The first look at Redis makes reaping wait; the model knows nothing of that.
        _ = try await fixture.queue.reap(Job.type)
        try await clock.advance(.seconds(60))
        var model = QueueModel(now: clock.milliseconds, configuration: fixture.queue.configuration)
        var claims: [(claim: TaskClaim, number: Int)] = []
        var lastFence: Int64 = 0

        for step in 0..<400 {
            let id = TaskID("t\(Int.random(in: 0..<25, using: &random))")
            let held = claims.randomElement(using: &random)
            switch Int.random(in: 0..<13, using: &random) {
            case 0...2:
                let priority = TaskPriority.allCases.randomElement(using: &random) ?? .normal
                let delay = Bool.random(using: &random) ? 0 : Int64.random(in: 1...8000, using: &random)
                let submission = try await fixture.queue.submit(
                    Job(name: id.rawValue), priority: priority, examID: nil, context: QueueFixture.context,
                    delay: .milliseconds(delay))
                #expect(submission.isNew == model.submit(id, priority, delay: delay))
            case 3, 4:
                let count = Int.random(in: 1...6, using: &random)
                let claimed = try await fixture.claim(count)
                let expected = model.claim(count)
                #expect(claimed.map(\.id) == expected.map(\.id), "seed \(seed), step \(step)")
                #expect(claimed.map(\.attempt) == expected.map(\.attempt))
                for (claim, entry) in zip(claimed, expected) {
                    #expect(claim.fence > lastFence)
                    lastFence = claim.fence
                    claims.append((claim, entry.claim))
                }
            case 5:
                guard let held else { continue }
                let beat = TaskQueue.Beat(id: held.claim.id, fence: held.claim.fence)
                #expect(
                    try await fixture.queue.heartbeat(Job.type, [beat]) == [model.beat(held.claim.id, held.number)])
            case 6:
                guard let held else { continue }
                #expect(
                    try await fixture.queue.complete(held.claim, result: [])
                        == model.complete(held.claim.id, held.number))
            case 7:
                guard let held else { continue }
                let delay = Duration.milliseconds(Int.random(in: 0...5000, using: &random))
                let modes: [TaskFailureMode] = [
                    .retry(after: delay), .postpone(after: delay), .condemn(after: delay), .bury, .cancelled,
                ]
                let mode = modes.randomElement(using: &random) ?? .bury
                #expect(
                    try await fixture.queue.fail(held.claim, error: "e", mode: mode)
                        == model.fail(held.claim.id, held.number, mode))
            case 8:
                guard let held else { continue }
                try await fixture.queue.release(Job.type, [held.claim])
                model.release(held.claim.id, held.number)
            case 9:
                #expect(try await fixture.queue.reap(Job.type).taken == model.reap())
            case 10:
                let answer: Int
                do {
                    answer = try await fixture.queue.cancel(type: Job.type, id: id) == .cancelled ? 2 : 1
                } catch is TaskQueueError {
                    answer = 0
                }
                #expect(answer == model.cancel(id))
            case 11:
                let isRetried: Bool
                do {
                    try await fixture.queue.retry(type: Job.type, id: id)
                    isRetried = true
                } catch is TaskQueueError {
                    isRetried = false
                }
                #expect(isRetried == model.retry(id))
            default:
                if Int.random(in: 0..<4, using: &random) == 0 {
                    if model.isPaused {
                        try await fixture.queue.resume(type: Job.type)
                    } else {
                        try await fixture.queue.pause(type: Job.type)
                    }
                    model.isPaused.toggle()
                }
                try await clock.advance(.milliseconds(Int.random(in: 1...6000, using: &random)))
                model.now = clock.milliseconds
            }
            let counts = try await fixture.queue.statistics(type: Job.type).map {
                [$0.ready, $0.scheduled, $0.running, $0.dead]
            }
            try #require(counts == model.counts(), "seed \(seed), step \(step)")
        }
        for (id, entry) in model.tasks {
            #expect(try await fixture.state(id.rawValue) == entry.state)
        }
    }
}

/// The same numbers for the same seed.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
