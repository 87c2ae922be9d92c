import NIOCore
import Testing

@testable import Redis

@Suite struct ConnectionStateMachineTests {
    private typealias Machine = ConnectionStateMachine<String>
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private func readyMachine(maxInFlight: Int = 4) -> Machine {
        Machine(greeting: [], maxInFlight: maxInFlight, now: start)
    }

    private func delivered(_ action: Machine.ReplyAction) -> (String, Bool)? {
        if case .deliver(let ticket, let isLast) = action { (ticket, isLast) } else { nil }
    }

    @Test func nothingIsSentBeforeTheGreetingIsAnswered() {
        var machine = Machine(
            greeting: [.init(name: "AUTH", toleratedRefusals: []), .init(name: "PING", toleratedRefusals: ["NOPERM"])],
            maxInFlight: 4, now: start)
        #expect(!machine.hasRoom(for: 1))
        guard case .greetingContinues = machine.received(.simpleString("OK"), now: start) else {
            Issue.record("the greeting has a second step")
            return
        }
        guard case .becomeReady = machine.received(.error(.init(message: "NOPERM ping")), now: start) else {
            Issue.record("this refusal is tolerated")
            return
        }
        #expect(machine.hasRoom(for: 1))
    }

    @Test func aRefusedStepEndsTheGreeting() {
        var machine = Machine(greeting: [.init(name: "AUTH", toleratedRefusals: [])], maxInFlight: 4, now: start)
        let action = machine.received(.error(.init(message: "WRONGPASS no")), now: start)
        guard case .greetingRefused(let error, let step) = action else {
            Issue.record("refusal expected, not \(action)")
            return
        }
        #expect(error.prefix == "WRONGPASS")
        #expect(step == "AUTH")
        #expect(!machine.hasRoom(for: 1))
    }

    @Test func repliesGoToTicketsInTheOrderOfSending() {
        var machine = readyMachine()
        machine.sent("a", count: 1, now: start, deadline: start + .seconds(5))
        machine.sent("b", count: 2, now: start, deadline: start + .seconds(5))
        let deliveries = (0..<3).compactMap { _ in delivered(machine.received(.null, now: start)) }
        #expect(deliveries.map(\.0) == ["a", "b", "b"])
        #expect(deliveries.map(\.1) == [true, false, true])
        #expect(machine.inFlight == 0)
    }

    @Test func roomIsLimitedByCommandsButAnEmptyConnectionTakesAnything() {
        var machine = readyMachine(maxInFlight: 2)
        #expect(machine.hasRoom(for: 100))
        machine.sent("a", count: 1, now: start, deadline: start + .seconds(5))
        #expect(machine.hasRoom(for: 1))
        #expect(!machine.hasRoom(for: 2))
    }

    @Test func aReplyNobodyAskedForIsAnError() {
        var machine = readyMachine()
        guard case .unexpected = machine.received(.null, now: start) else {
            Issue.record("the stream is out of step")
            return
        }
    }

    @Test func onlyOverdueTicketsExpireWhileTheServerReplies() {
        var machine = readyMachine()
        machine.sent("a", count: 1, now: start, deadline: start + .seconds(5))
        machine.sent("b", count: 1, now: start, deadline: start + .seconds(5))
        machine.sent("c", count: 1, now: start, deadline: start + .seconds(9))
        _ = machine.received(.null, now: start + .seconds(4))
        guard
            case .expire(let tickets, let next) = machine.checkDeadlines(
                now: start + .seconds(5), silence: .seconds(5))
        else {
            Issue.record("b is overdue")
            return
        }
        #expect(tickets == ["b"])
        #expect(next == start + .seconds(9))
        guard case .discard = machine.received(.null, now: start + .seconds(6)) else {
            Issue.record("b's late reply belongs to nobody")
            return
        }
        #expect(delivered(machine.received(.null, now: start + .seconds(6)))?.0 == "c")
    }

    @Test func aServerSilentForTheTimeOutIsGivenUp() {
        var machine = readyMachine()
        machine.sent("a", count: 1, now: start, deadline: start + .seconds(5))
        guard case .closeSilent = machine.checkDeadlines(now: start + .seconds(5), silence: .seconds(5)) else {
            Issue.record("no reply since the command was sent")
            return
        }
        #expect(machine.close() == ["a"])
    }

    @Test func aRestBeforeTheCommandIsNoSilence() {
        var machine = readyMachine()
        machine.sent("a", count: 1, now: start + .hours(1), deadline: start + .hours(1) + .seconds(1))
        let action = machine.checkDeadlines(now: start + .hours(1) + .seconds(1), silence: .seconds(5))
        guard case .expire(let tickets, _) = action else {
            Issue.record("overdue, but the server is not silent for long, not \(action)")
            return
        }
        #expect(tickets == ["a"])
    }

    @Test func whatIsInFlightAtTheEndHasAnUnknownOutcome() {
        var machine = readyMachine()
        machine.sent("a", count: 2, now: start, deadline: start + .seconds(5))
        machine.sent("b", count: 1, now: start, deadline: start + .seconds(5))
        _ = machine.received(.null, now: start)
        #expect(machine.close() == ["a", "b"])
        #expect(machine.close().isEmpty)
        #expect(!machine.hasRoom(for: 1))
    }
}

@Suite struct PoolStateMachineTests {
    private let backoff = ReconnectBackoff(base: .milliseconds(100), cap: .seconds(1))
    private var random = SystemRandomNumberGenerator()

    @Test func everySlotIsConnectedOnce() {
        var pool = PoolStateMachine(size: 2, backoff: backoff)
        #expect(pool.start() == [.connect(slot: 0), .connect(slot: 1)])
        #expect(pool.start().isEmpty)
    }

    @Test mutating func failuresWaitLongerEachTimeUpToTheCap() {
        var pool = PoolStateMachine(size: 1, backoff: backoff)
        _ = pool.start()
        for ceiling in [100, 200, 400, 800, 1000, 1000, 1000] {
            guard case .connectLater(0, let delay) = pool.failed(slot: 0, using: &random) else {
                Issue.record("a failure is tried again")
                return
            }
            #expect(delay >= .milliseconds(ceiling) / 2 && delay <= .milliseconds(ceiling))
            #expect(pool.waited(slot: 0) == .connect(slot: 0))
        }
    }

    @Test mutating func aConnectionLostAfterALongTimeIsReplacedAtOnce() {
        var pool = PoolStateMachine(size: 1, backoff: backoff)
        _ = pool.start()
        _ = pool.failed(slot: 0, using: &random)
        _ = pool.waited(slot: 0)
        pool.connected(slot: 0)
        #expect(pool.lost(slot: 0, age: .seconds(60), using: &random) == .connect(slot: 0))
    }

    @Test mutating func aServerThatHangsUpAtOnceIsNotTriedInATightLoop() {
        var pool = PoolStateMachine(size: 1, backoff: backoff)
        _ = pool.start()
        pool.connected(slot: 0)
        guard case .connectLater(0, _) = pool.lost(slot: 0, age: .zero, using: &random) else {
            Issue.record("a short-lived connection counts as a failure")
            return
        }
    }

    @Test mutating func aClosedPoolConnectsNoMore() {
        var pool = PoolStateMachine(size: 1, backoff: backoff)
        _ = pool.start()
        _ = pool.failed(slot: 0, using: &random)
        pool.close()
        #expect(pool.waited(slot: 0) == .nothing)
        #expect(pool.failed(slot: 0, using: &random) == .nothing)
        #expect(pool.start().isEmpty)
    }

    @Test mutating func theDelayNeverOverflows() {
        #expect(backoff.delay(attempt: .max, using: &random) <= .seconds(1))
        #expect(backoff.delay(attempt: 0, using: &random) <= .milliseconds(100))
    }
}

@Suite struct RequestAdmissionTests {
    @Test func theQueueIsBoundedByCommandsAndBytes() {
        var admission = RequestAdmission(maxCommands: 3, maxBytes: 100)
        #expect(admission.admit(commands: 2, bytes: 50) == .admitted)
        #expect(admission.admit(commands: 2, bytes: 1) == .full)
        #expect(admission.admit(commands: 1, bytes: 51) == .full)
        #expect(admission.admit(commands: 1, bytes: 50) == .admitted)
        admission.release(commands: 2, bytes: 50)
        #expect(admission.admit(commands: 2, bytes: 50) == .admitted)
    }

    @Test func anEmptyQueueTakesARequestOfAnySize() {
        var admission = RequestAdmission(maxCommands: 1, maxBytes: 1)
        #expect(admission.admit(commands: 1000, bytes: 1000) == .admitted)
        #expect(admission.admit(commands: 1, bytes: 1) == .full)
    }

    @Test func aClosedQueueTakesNothing() {
        var admission = RequestAdmission(maxCommands: 1, maxBytes: 1)
        admission.close()
        #expect(admission.admit(commands: 1, bytes: 1) == .closed)
    }
}
