import Testing

@testable import ZhiYueCLI

@Suite struct RestartStateMachineTests {
    private let start = ContinuousClock.Instant.now

    private func machine() -> RestartStateMachine { RestartStateMachine(policy: .init(startAttempts: 3)) }

    @Test("A process that ends at once, again and again, is given up before the system was ready")
    func givesUp() {
        var machine = machine()
        var actions: [RestartStateMachine.Action] = []
        for _ in 0..<3 {
            machine.started(at: start)
            actions.append(machine.ended(at: start + .milliseconds(20)))
        }
        #expect(actions == [.restart(after: .milliseconds(100)), .restart(after: .milliseconds(200)), .giveUp])
    }

    @Test("After the system was ready a process is started for ever, at most every five seconds")
    func neverGivesUpLater() {
        var machine = machine()
        machine.systemBecameReady()
        var last = RestartStateMachine.Action.giveUp
        for _ in 0..<50 {
            machine.started(at: start)
            last = machine.ended(at: start + .milliseconds(20))
        }
        #expect(last == .restart(after: .seconds(5)))
    }

    @Test("A process that ran for ten seconds begins with the shortest delay again")
    func forgetsOldEnds() {
        var machine = machine()
        machine.systemBecameReady()
        for _ in 0..<5 {
            machine.started(at: start)
            _ = machine.ended(at: start + .seconds(1))
        }
        machine.started(at: start)
        let action = machine.ended(at: start + .seconds(10))
        #expect(action == .restart(after: .milliseconds(100)))
    }

    @Test("A process that was told to stop is not started again, whether it ran or waited")
    func stops() {
        var machine = machine()
        machine.started(at: start)
        machine.stop()
        let whileRunning = machine.ended(at: start)
        machine.systemBecameReady()
        let whileWaiting = machine.ended(at: start)
        #expect(whileRunning == .done)
        #expect(whileWaiting == .done)
    }
}
