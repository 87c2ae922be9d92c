import Domain
import Testing

@testable import EventBus

@Suite struct LaneStateMachineTests {
    private static let now = ContinuousClock.now

    private func machine(workers: Int = 4, partitions: [Int] = [0]) -> LaneStateMachine {
        var machine = LaneStateMachine(maxWorkers: workers)
        machine.trust(until: Self.now + .seconds(60))
        for partition in partitions { machine.add(partition, token: "t\(partition)") }
        return machine
    }

    private func item(_ number: UInt64) -> LaneStateMachine.Item {
        LaneStateMachine.Item(
            position: StreamPosition(milliseconds: number), content: .failure(EventBusError(.malformedEntry, "")))
    }

    private func deliver(_ machine: inout LaneStateMachine, _ number: UInt64, key: String, partition: Int = 0) {
        machine.deliver(item(number), key: key, partition: partition, token: "t\(partition)")
    }

    private func taken(
        _ machine: inout LaneStateMachine, _ now: ContinuousClock.Instant
    ) throws -> LaneStateMachine.Work {
        let work = machine.take(now)
        return try #require(work)
    }

    private func batch(_ machine: inout LaneStateMachine) throws -> LaneStateMachine.Acknowledgement {
        let batch = machine.takeAcknowledgements(max: 10).first
        return try #require(batch)
    }

    @Test func aLaneIsHandledInOrderByOneWorkerAtATime() throws {
        var machine = machine()
        for number in 1...3 { deliver(&machine, UInt64(number), key: "a") }
        #expect(machine.workersToStart() == 1)
        var work = try taken(&machine, Self.now)
        for number in 1...3 {
            #expect(work.item.position.milliseconds == UInt64(number))
            let next = machine.finish(work, .handled, turn: number, now: Self.now)
            if let next { work = next } else { #expect(number == 3) }
        }
        #expect(machine.take(Self.now) == nil)
        #expect(machine.takeAcknowledgements(max: 100).first?.positions.map(\.milliseconds) == [1, 2, 3])
    }

    @Test func nothingOvertakesAnEventThatIsAbandoned() throws {
        var machine = machine(partitions: [0, 1])
        deliver(&machine, 1, key: "a")
        deliver(&machine, 2, key: "a")
        deliver(&machine, 1, key: "b", partition: 1)
        _ = machine.workersToStart()
        let work = try taken(&machine, Self.now)
        #expect(machine.finish(work, .abandoned, turn: 1, now: Self.now) == nil)
        // What a read that was on its way brings.
        deliver(&machine, 3, key: "a")
        let other = try taken(&machine, Self.now)
        #expect(other.lane.key == "b")
        #expect(machine.take(Self.now) == nil)
        #expect(machine.held.keys.sorted() == [1])
    }

    @Test func noMoreWorkersStartThanAllowed() {
        var machine = machine(workers: 2)
        for number in 0..<5 { deliver(&machine, UInt64(number), key: "\(number)") }
        #expect(machine.workersToStart() == 2)
        #expect(machine.workersToStart() == 0)
    }

    @Test func aLaneThatWaitsForItsNextTryHoldsNoWorkerAndNoOtherLane() throws {
        var machine = machine(workers: 1)
        deliver(&machine, 1, key: "a")
        deliver(&machine, 2, key: "b")
        #expect(machine.workersToStart() == 1)
        let failing = try taken(&machine, Self.now)
        let due = Self.now + .seconds(5)
        #expect(machine.finish(failing, .failed(due: due, done: ["first"]), turn: 1, now: Self.now) == nil)
        let other = try taken(&machine, Self.now)
        #expect(other.lane.key == "b")
        #expect(machine.finish(other, .handled, turn: 1, now: Self.now) == nil)
        #expect(machine.take(Self.now) == nil)

        #expect(machine.wake(Self.now) == due)
        #expect(machine.workersToStart() == 0)
        #expect(machine.wake(due) == nil)
        #expect(machine.workersToStart() == 1)
        let again = try taken(&machine, due)
        #expect(again.attempt == 2)
        #expect(again.done == ["first"])
    }

    @Test func aDrainingPartitionFinishesWhatRunsAndForgetsWhatWaits() throws {
        var machine = machine()
        for number in 1...3 { deliver(&machine, UInt64(number), key: "a") }
        deliver(&machine, 4, key: "b")
        _ = machine.workersToStart()
        let work = try taken(&machine, Self.now)
        machine.drain(0)
        #expect(!machine.hasDrained)
        #expect(machine.take(Self.now) == nil)
        #expect(machine.finish(work, .handled, turn: 1, now: Self.now) == nil)
        #expect(!machine.hasDrained)
        let batch = try self.batch(&machine)
        #expect(batch.positions.map(\.milliseconds) == [1])
        machine.acknowledged(batch)
        #expect(machine.drained == [0: "t0"])
        deliver(&machine, 5, key: "c")
        #expect(machine.workersToStart() == 0)
    }

    @Test func aDrainingPartitionWaitsForTheReadOnItsWay() {
        var machine = machine(partitions: [0, 1])
        #expect(machine.beginRead().map(\.partition) == [0, 1])
        machine.drain(0)
        #expect(machine.isReadOutdated)
        #expect(!machine.hasDrained)
        machine.endRead()
        #expect(machine.drained.keys.sorted() == [0])
        #expect(machine.beginRead().map(\.partition) == [1])
    }

    @Test func aDrainingPartitionWaitsForEveryReadOnItsWay() {
        var machine = machine(partitions: [0, 1])
        _ = machine.beginRead()
        _ = machine.beginRead()
        machine.drain(0)
        _ = machine.beginRead()
        machine.endRead()
        #expect(!machine.hasDrained)
        #expect(machine.isReadOutdated)
        machine.endRead()
        #expect(machine.drained.keys.sorted() == [0])
        #expect(!machine.isReadOutdated)
    }

    @Test func resultsOfALostPartitionAreIgnored() throws {
        var machine = machine()
        deliver(&machine, 1, key: "a")
        _ = machine.workersToStart()
        let work = try taken(&machine, Self.now)
        machine.remove(0)
        machine.add(0, token: "later")
        #expect(machine.finish(work, .handled, turn: 1, now: Self.now) == nil)
        #expect(machine.takeAcknowledgements(max: 10).isEmpty)
        deliver(&machine, 2, key: "a")
        #expect(machine.unacknowledged == 0)
    }

    @Test func nothingIsHandledOnceTheLeaseHasRunOut() {
        var machine = machine()
        deliver(&machine, 1, key: "a")
        #expect(machine.workersToStart() == 1)
        #expect(machine.take(Self.now + .seconds(61)) == nil)
        machine.trust(until: Self.now + .seconds(120))
        #expect(machine.workersToStart() == 1)
        #expect(machine.take(Self.now + .seconds(61)) != nil)
    }

    @Test func aBatchThatCouldNotBeSentIsDueAgain() throws {
        var machine = machine()
        machine.skip(StreamPosition(milliseconds: 1), partition: 0, token: "t0")
        let batch = try self.batch(&machine)
        #expect(machine.takeAcknowledgements(max: 10).isEmpty)
        machine.unacknowledged(batch)
        #expect(machine.takeAcknowledgements(max: 10).first?.positions == batch.positions)
    }

    @Test func aPartitionIsReadFromItsPendingEntriesOnUntilAPageIsEmpty() {
        var machine = machine()
        #expect(machine.beginRead().first?.phase == .recovering(after: .zero))
        machine.accepted(0, token: "t0", through: StreamPosition(milliseconds: 5))
        #expect(machine.beginRead().first?.phase == .recovering(after: StreamPosition(milliseconds: 5)))
        machine.accepted(0, token: "t0", through: nil)
        #expect(machine.beginRead().first?.phase == .live)
    }

    @Test func afterALostReadPendingEntriesBehindTheLastAcceptedOneComeFirst() {
        var machine = machine(partitions: [0, 1])
        for partition in [0, 1] { machine.accepted(partition, token: "t\(partition)", through: nil) }
        _ = machine.beginRead()
        deliver(&machine, 7, key: "a")
        machine.accepted(0, token: "t0", through: StreamPosition(milliseconds: 7))
        machine.endRead()
        _ = machine.beginRead()
        machine.drain(1)
        machine.readWasLost()
        // It may still be on its way, until its connection is known to be closed.
        #expect(!machine.hasDrained)
        machine.endReads()
        #expect(machine.hasDrained)
        #expect(machine.beginRead().map(\.phase) == [.recovering(after: StreamPosition(milliseconds: 7))])
        machine.accepted(0, token: "t0", through: nil)
        #expect(machine.beginRead().map(\.phase) == [.live])
    }

    @Test func lanesTakeTurns() throws {
        var machine = machine(workers: 1)
        for number in 0..<100 { deliver(&machine, UInt64(number), key: "busy") }
        deliver(&machine, 1000, key: "quiet")
        _ = machine.workersToStart()
        var handled = 0
        var turn = 0
        var work = try taken(&machine, Self.now)
        while work.lane.key == "busy" {
            handled += 1
            turn += 1
            if let next = machine.finish(work, .handled, turn: turn, now: Self.now) {
                work = next
            } else {
                turn = 0
                work = try taken(&machine, Self.now)
            }
        }
        #expect(handled < 100)
    }
}
