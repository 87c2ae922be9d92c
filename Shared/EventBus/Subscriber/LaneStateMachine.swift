internal import DequeModule
import Domain

/// What a replica has read and not yet acknowledged: a lane per exam, handled one event at a time, lanes concurrently
/// up to a limit. Pure: the subscriber reads, handles and acknowledges as it says.
struct LaneStateMachine {
    struct LaneKey: Hashable {
        let partition: Int
        let key: String
    }

    /// An entry to be handled. A class, since it goes through several hands and an event is many strings.
    final class Item: Sendable {
        let position: StreamPosition
        /// The event, or why the entry is none.
        let content: Result<StoredEvent, EventBusError>
        /// How often it was given out, where that is known: 2 and more after crashes and lost replies.
        let deliveries: Int

        init(position: StreamPosition, content: Result<StoredEvent, EventBusError>, deliveries: Int = 1) {
            self.position = position
            self.content = content
            self.deliveries = deliveries
        }
    }

    /// An item in a worker's hands.
    struct Work {
        let lane: LaneKey
        let token: String
        let item: Item
        /// 1 at the first try.
        let attempt: Int
        /// How often Redis, which answered others, did not answer in time; these tries are not among the attempts.
        let unanswered: Int
        /// Names of handlers that are done with the event.
        let done: Set<String>
    }

    enum Outcome {
        case handled
        /// Acknowledged already, together with its dead letter.
        case deadLettered
        /// To be tried again at `due`.
        case failed(due: ContinuousClock.Instant, done: Set<String>)
        /// To be tried again at `due`, for it was not the event that failed.
        case postponed(due: ContinuousClock.Instant, done: Set<String>)
        /// As postponed, but the event may be to blame, so that it is counted.
        case unanswered(due: ContinuousClock.Instant, done: Set<String>)
        /// Left pending, with the whole partition, for its next owner: this replica is ending, or does not own it.
        case abandoned
    }

    struct Acknowledgement {
        let partition: Int
        let token: String
        let positions: [StreamPosition]
    }

    /// What is to be read from the stream again for a lane.
    struct Refill {
        let lane: LaneKey
        let token: String
        let from: StreamPosition
        let through: StreamPosition
    }

    enum Phase: Equatable {
        /// Reading what was given out before and is not acknowledged: by former owners, or in a reply that was lost.
        case recovering(after: StreamPosition)
        case live
        case draining
    }

    /// Only the machine that made it refers to it; so with lanes. As classes they are changed without a search for
    /// every field, and without a copy.
    private final class Partition {
        let token: String
        var phase = Phase.recovering(after: .zero)
        /// The last entry accepted.
        var last = StreamPosition.zero
        var running = 0
        var unacknowledged = 0
        var acknowledgements: [StreamPosition] = []
        var acknowledging = 0

        init(token: String) {
            self.token = token
        }
    }

    private final class Lane {
        enum State: Equatable {
            case ready
            case running
            case waiting(until: ContinuousClock.Instant)
            /// All its events are in the stream.
            case starved
        }

        /// Events that are in the stream, pending, but not here.
        struct Absence {
            var from: StreamPosition
            var through: StreamPosition
            var isBeingRead = false
        }

        let token: String
        let partition: Partition
        var items: Deque<Item> = []
        var state = State.ready
        var attempt = 1
        var unanswered = 0
        var done: Set<String> = []
        var runningSince: ContinuousClock.Instant?
        var absence: Absence?

        init(token: String, partition: Partition) {
            self.token = token
            self.partition = partition
        }
    }

    /// A handler that takes longer than this may be a while.
    private static let stuckAfter: Duration = .seconds(1)

    /// Events of one lane in a row before others get their turn.
    private static let turn = 32

    private let maxWorkers: Int
    private var partitions: [Int: Partition] = [:]
    private var lanes: [LaneKey: Lane] = [:]
    private var ready: Deque<LaneKey> = []
    private var waiting: Set<LaneKey> = []
    private var starved: Set<LaneKey> = []
    private var workers = 0
    /// Whether any partition is draining; asked after every event.
    private var isDraining = false
    /// Whether the acknowledging loop was called for what has been handled since it last looked.
    private var isAcknowledgementCalled = false
    /// Partitions of each read on its way, in the order in which they were sent.
    private var reading: Deque<Set<Int>> = []
    /// Until when this replica may believe that it owns what it holds.
    private(set) var trustedUntil: ContinuousClock.Instant?

    init(maxWorkers: Int) {
        self.maxWorkers = maxWorkers
    }

    // MARK: Ownership

    var held: [Int: String] { partitions.mapValues(\.token) }
    var draining: Set<Int> { Set(partitions.filter { $0.value.phase == .draining }.keys) }
    var unacknowledged: Int { partitions.values.reduce(0) { $0 + $1.unacknowledged } }

    /// Draining partitions with nothing left to wait for.
    var drained: [Int: String] {
        partitions.filter(isDrained).mapValues(\.token)
    }

    var hasDrained: Bool { isDraining && partitions.contains(where: isDrained) }

    private func isDrained(_ number: Int, _ partition: Partition) -> Bool {
        partition.phase == .draining && partition.running == 0 && partition.acknowledgements.isEmpty
            && partition.acknowledging == 0 && !reading.contains { $0.contains(number) }
    }

    mutating func trust(until instant: ContinuousClock.Instant) {
        trustedUntil = instant
    }

    func isTrusted(_ now: ContinuousClock.Instant) -> Bool {
        trustedUntil.map { now < $0 } ?? false
    }

    mutating func add(_ partition: Int, token: String) {
        remove(partition)
        partitions[partition] = Partition(token: token)
    }

    /// Takes no more of a partition; what runs is finished, what waits is left to the next owner.
    mutating func drain(_ partition: Int) {
        guard partitions[partition] != nil else { return }
        partitions[partition]?.phase = .draining
        isDraining = true
        forgetLanes { key, lane in key.partition == partition && lane.state != .running }
        for (key, lane) in lanes where key.partition == partition {
            lanes[key]?.items.removeLast(lane.items.count - 1)
            lanes[key]?.absence = nil
        }
    }

    /// The partition is no longer this replica's: results of what still runs are ignored.
    mutating func remove(_ partition: Int) {
        partitions[partition] = nil
        isDraining = partitions.values.contains { $0.phase == .draining }
        forgetLanes { key, _ in key.partition == partition }
    }

    private mutating func forgetLanes(where isForgotten: (LaneKey, Lane) -> Bool) {
        for (key, _) in lanes.filter({ isForgotten($0.key, $0.value) }) {
            lanes[key] = nil
            waiting.remove(key)
            starved.remove(key)
        }
        let remaining = ready.filter { lanes[$0] != nil }
        ready = remaining
    }

    // MARK: Reading

    func lastAccepted(_ partition: Int) -> StreamPosition { partitions[partition]?.last ?? .zero }

    /// What to read next: each partition's token, and its phase, `recovering` or `live`. Unless there is nothing, the
    /// read counts as on its way until `endRead()`.
    mutating func beginRead() -> [(partition: Int, token: String, phase: Phase)] {
        let sources = partitions.filter { $0.value.phase != .draining }.sorted { $0.key < $1.key }
        if !sources.isEmpty { reading.append(Set(sources.map(\.key))) }
        return sources.map { ($0.key, $0.value.token, $0.value.phase) }
    }

    /// The reply to the oldest read on its way was used.
    mutating func endRead() {
        _ = reading.popFirst()
    }

    /// No read is on its way: the connection is another.
    mutating func endReads() {
        reading = []
    }

    /// A read failed, or its reply was not used. Redis may have given entries out that nobody saw: they are pending
    /// behind the last one accepted, and must be read before any newer one. It may even still be on its way, so that
    /// its partitions are not given up before its connection is known to be closed, which `endReads()` tells.
    mutating func readWasLost() {
        for (number, partition) in partitions where partition.phase != .draining {
            partitions[number]?.phase = .recovering(after: partition.last)
        }
    }

    /// Whether a read on its way is not the one that would be begun now.
    var isReadOutdated: Bool {
        guard !reading.isEmpty else { return false }
        let current = Set(partitions.filter { $0.value.phase != .draining }.keys)
        return reading.contains { $0 != current }
    }

    /// All entries of a reply were put into lanes; `last` is nil when there were none. An empty page of pending
    /// entries is the last.
    mutating func accepted(_ partition: Int, token: String, through last: StreamPosition?) {
        guard let owned = partitions[partition], owned.token == token, owned.phase != .draining else { return }
        if let last { partitions[partition]?.last = last }
        guard case .recovering = owned.phase else { return }
        partitions[partition]?.phase = last.map { .recovering(after: $0) } ?? .live
    }

    /// Puts read entries into their lanes, oldest first. Entries of a partition given up meanwhile stay pending.
    mutating func deliver(_ item: Item, key: String, partition: Int, token: String) {
        guard let owned = partitions[partition], owned.token == token, owned.phase != .draining else { return }
        let key = LaneKey(partition: partition, key: key)
        if let lane = lanes[key] {
            if lane.absence != nil {
                // Behind others that are not here.
                lane.absence?.through = item.position
                return
            }
            lane.items.append(item)
        } else {
            let lane = Lane(token: token, partition: owned)
            lane.items.append(item)
            lanes[key] = lane
            ready.append(key)
        }
        owned.unacknowledged += 1
    }

    /// An entry nobody handles here is acknowledged at once.
    mutating func skip(_ position: StreamPosition, partition: Int, token: String) {
        guard let owned = partitions[partition], owned.token == token, owned.phase != .draining else { return }
        partitions[partition]?.unacknowledged += 1
        partitions[partition]?.acknowledgements.append(position)
    }

    // MARK: Making room

    var hasStarved: Bool { !starved.isEmpty }

    /// Makes room when exams that are stuck, waiting for their next try or in the hands of a slow handler, fill the
    /// buffer: they keep the event they are at, and the others stay in the stream, to be read again when it is their
    /// turn. One exam can therefore not keep a replica from reading for the others.
    mutating func shed(_ now: ContinuousClock.Instant) {
        for lane in lanes.values where lane.items.count > 1 && isStuck(lane, now) {
            let first = lane.items[1].position
            let last = lane.absence?.through ?? lane.items[lane.items.count - 1].position
            let count = lane.items.count - 1
            lane.absence = Lane.Absence(from: first, through: last)
            lane.items.removeLast(count)
            lane.partition.unacknowledged -= count
        }
    }

    private func isStuck(_ lane: Lane, _ now: ContinuousClock.Instant) -> Bool {
        switch lane.state {
        case .waiting: true
        case .running: lane.runningSince.map { now - $0 >= Self.stuckAfter } ?? false
        case .ready, .starved: false
        }
    }

    /// Lanes whose turn it is and whose events must be read first. Each is answered by `refill`.
    mutating func takeRefills() -> [Refill] {
        var refills: [Refill] = []
        for key in starved {
            guard let lane = lanes[key], let absence = lane.absence, !absence.isBeingRead else { continue }
            lanes[key]?.absence?.isBeingRead = true
            refills.append(Refill(lane: key, token: lane.token, from: absence.from, through: absence.through))
        }
        return refills
    }

    /// - Parameters:
    ///   - items: Events of the lane, oldest first, beginning with the first that was absent.
    ///   - next: Where to go on; behind `refill.through` when all of that was read.
    mutating func refill(_ refill: Refill, with items: [Item], next: StreamPosition) {
        guard let lane = lanes[refill.lane], lane.token == refill.token, let absence = lane.absence else { return }
        lanes[refill.lane]?.items.append(contentsOf: items)
        partitions[refill.lane.partition]?.unacknowledged += items.count
        let isComplete = next > absence.through
        lanes[refill.lane]?.absence = isComplete ? nil : Lane.Absence(from: next, through: absence.through)
        if !items.isEmpty {
            starved.remove(refill.lane)
            lanes[refill.lane]?.state = .ready
            ready.append(refill.lane)
        } else if isComplete {
            starved.remove(refill.lane)
            lanes[refill.lane] = nil
        }
    }

    // MARK: Working

    /// How many workers to start now; they count as started.
    mutating func workersToStart() -> Int {
        let count = max(0, min(ready.count, maxWorkers - workers))
        workers += count
        return count
    }

    /// Work for a worker; nil ends the worker.
    mutating func take(_ now: ContinuousClock.Instant) -> Work? {
        guard isTrusted(now), let key = ready.popFirst(), let lane = lanes[key],
            let work = run(lane, key, now)
        else {
            workers -= 1
            return nil
        }
        return work
    }

    /// Records an outcome. The caller goes on with the same lane as long as this returns work.
    mutating func finish(
        _ work: Work, _ outcome: Outcome, turn: Int, now: ContinuousClock.Instant
    ) -> Work? {
        guard let lane = lanes[work.lane], lane.token == work.token, lane.state == .running else {
            // The partition has gone meanwhile.
            return nil
        }
        let partition = lane.partition
        partition.running -= 1
        lane.attempt = 1
        lane.unanswered = 0
        if !lane.done.isEmpty { lane.done = [] }
        switch outcome {
        case .handled:
            lane.items.removeFirst()
            partition.acknowledgements.append(work.item.position)
        case .deadLettered:
            lane.items.removeFirst()
            partition.unacknowledged -= 1
        case .failed(let due, let done), .postponed(let due, let done), .unanswered(let due, let done):
            guard partition.phase != .draining else { break }
            lane.attempt = work.attempt
            lane.unanswered = work.unanswered
            if case .failed = outcome { lane.attempt += 1 }
            if case .unanswered = outcome { lane.unanswered += 1 }
            lane.done = done
            lane.state = .waiting(until: due)
            waiting.insert(work.lane)
            return nil
        case .abandoned:
            // Nothing of the partition may be handled any more, else a later event of the exam would be before this one.
            remove(work.lane.partition)
            return nil
        }
        if partition.phase == .draining {
            lanes[work.lane] = nil
            return nil
        }
        if lane.items.isEmpty {
            if lane.absence == nil {
                lanes[work.lane] = nil
            } else {
                lane.state = .starved
                starved.insert(work.lane)
            }
            return nil
        }
        if turn < Self.turn || ready.isEmpty, isTrusted(now) { return run(lane, work.lane, now) }
        lane.state = .ready
        ready.append(work.lane)
        return nil
    }

    private func run(_ lane: Lane, _ key: LaneKey, _ now: ContinuousClock.Instant) -> Work? {
        guard let item = lane.items.first else { return nil }
        lane.state = .running
        lane.runningSince = now
        lane.partition.running += 1
        return Work(
            lane: key, token: lane.token, item: item, attempt: lane.attempt, unanswered: lane.unanswered,
            done: lane.done)
    }

    /// Makes lanes ready whose pause is over.
    ///
    /// - Returns: when the next pause ends.
    mutating func wake(_ now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        var next: ContinuousClock.Instant?
        for key in waiting {
            guard case .waiting(let due) = lanes[key]?.state else { continue }
            if due <= now {
                lanes[key]?.state = .ready
                waiting.remove(key)
                // It has waited longer than any other.
                ready.prepend(key)
            } else {
                next = min(next ?? due, due)
            }
        }
        return next
    }

    // MARK: Acknowledging

    /// Whether to call the acknowledging loop: once for everything handled since it last looked.
    mutating func callAcknowledging() -> Bool {
        defer { isAcknowledgementCalled = true }
        return !isAcknowledgementCalled
    }

    mutating func takeAcknowledgements(max: Int) -> [Acknowledgement] {
        isAcknowledgementCalled = false
        var batches: [Acknowledgement] = []
        for (number, partition) in partitions where !partition.acknowledgements.isEmpty {
            let positions = Array(partition.acknowledgements.prefix(max))
            partitions[number]?.acknowledgements.removeFirst(positions.count)
            partitions[number]?.acknowledging += positions.count
            batches.append(Acknowledgement(partition: number, token: partition.token, positions: positions))
        }
        return batches
    }

    mutating func acknowledged(_ batch: Acknowledgement) {
        guard partitions[batch.partition]?.token == batch.token else { return }
        partitions[batch.partition]?.acknowledging -= batch.positions.count
        partitions[batch.partition]?.unacknowledged -= batch.positions.count
    }

    /// The batch could not be sent; it is due again.
    mutating func unacknowledged(_ batch: Acknowledgement) {
        guard partitions[batch.partition]?.token == batch.token else { return }
        partitions[batch.partition]?.acknowledging -= batch.positions.count
        partitions[batch.partition]?.acknowledgements.append(contentsOf: batch.positions)
    }
}
