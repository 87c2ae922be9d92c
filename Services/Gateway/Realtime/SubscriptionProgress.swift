import Domain
import EventBus

/// How far a subscription is, and where what it needs next comes from: the history in Redis, the ring of recent events, or
/// nowhere, because it has everything. Pure, and the heart of the promise that nothing is lost or told twice.
///
/// Three rules hold it together:
/// - While it is not current, `seen` says for every partition it follows what has been handed out or passed over; all
///   that is behind is still to come, and nothing else.
/// - Partitions of the ring advance in their own order only, so an entry that is not behind `seen` is skipped wherever it
///   stands in the ring. Who comes back may be ahead of the ring in one partition and behind in another.
/// - It goes from history to the ring only when the ring covers `seen`. Until then it reads on, up to where the ring
///   begins by then: the ring moves on while history is read, and what leaves it is history by that time.
struct SubscriptionProgress {
    enum Source: Equatable {
        /// Has everything; new events are handed out as they come.
        case current
        /// Goes on with this entry of the ring.
        case ring(UInt64)
        /// Needs a page of history.
        case history
        /// Hands out a page of history.
        case page
    }

    private(set) var source = Source.current
    /// nil when `current` and nowhere ahead of the ring.
    private(set) var seen: StreamCursor?
    /// Whether all before the ring's next entry has been seen and nothing more, so that the cursors of entries hold.
    private var isInStep = true
    /// Whether superseded progress may be left out: it is the client that is slow, not one that comes back.
    private(set) var mayLeaveOut = false
    private var page: ArraySlice<StoredEvent> = []
    private var pageEnd: StreamCursor?

    /// Whether new events can be handed out as they are.
    var isPlain: Bool { source == .current && seen == nil }

    /// What to do with an entry.
    enum Verdict: Equatable {
        case skip
        /// The cursor to send with it; nil when that of the entry holds.
        case send(cursor: StreamCursor?)
    }

    /// Current from now on.
    init() {}

    /// Comes back.
    /// - Parameter cursor: of the partitions followed, no more and no less.
    init(behind cursor: StreamCursor, ring: EventRing) {
        seen = cursor
        isInStep = false
        settle(ring)
    }

    // MARK: New events

    /// An entry that has just been appended, while current.
    mutating func accept(_ entry: RingEntry, ring: EventRing) -> Verdict {
        guard var seen else { return .send(cursor: nil) }
        let isNew = entry.position > seen.positions[entry.partition] ?? .zero
        if isNew { seen.advance(entry.partition, to: entry.position) }
        self.seen = ring.reaches(seen) ? nil : seen
        return isNew ? .send(cursor: seen) : .skip
    }

    /// The entry just appended cannot be handed out now: all from it on waits in the ring.
    /// - Parameter partitions: those followed.
    mutating func fallBehind(before entry: RingEntry, at place: EventRing.Place, partitions: [Int], ring: EventRing) {
        guard source == .current else { return }
        source = .ring(place.number)
        mayLeaveOut = true
        isInStep = seen == nil
        guard seen == nil else { return }
        var seen = StreamCursor(
            Dictionary(uniqueKeysWithValues: partitions.map { ($0, ring.end.positions[$0] ?? .zero) }))
        if seen.positions[entry.partition] != nil { seen.set(entry.partition, to: place.previous) }
        self.seen = seen
    }

    // MARK: Catching up

    /// Looks at the next entry of the ring, which it passes. Only while the source is the ring.
    ///
    /// - Parameter matches: whether the subscription wants the entry.
    /// - Returns: nil when there is no next one: the source has changed.
    mutating func next(in ring: EventRing, matches: (RingEntry) -> Bool) -> (entry: RingEntry, Verdict)? {
        guard case .ring(let number) = source, var seen else { return nil }
        guard number < ring.next else {
            become(currentIn: ring)
            return nil
        }
        guard let entry = ring[number] else {
            // Gone from the ring before its turn.
            isInStep = false
            settle(ring)
            return nil
        }
        source = .ring(number + 1)
        guard let position = seen.positions[entry.partition] else { return (entry, .skip) }
        guard entry.position > position else { return (entry, .skip) }
        seen.advance(entry.partition, to: entry.position)
        self.seen = seen
        guard matches(entry), !(mayLeaveOut && ring.isSuperseded(number)) else { return (entry, .skip) }
        return (entry, .send(cursor: isInStep ? nil : seen))
    }

    /// The cursor behind all that has been handed out. Only while current.
    /// - Returns: nil when that is the end of the ring.
    mutating func currentCursor(ring: EventRing) -> StreamCursor? {
        guard var seen else { return nil }
        for (partition, _) in seen.positions {
            seen.advance(partition, to: ring.end.positions[partition] ?? .zero)
        }
        if ring.reaches(seen) {
            self.seen = nil
            return nil
        }
        self.seen = seen
        return seen
    }

    /// What to read next. Only while the source is history.
    func missing(in ring: EventRing) -> (after: [Int: StreamPosition], upTo: [Int: StreamPosition]) {
        (seen?.positions ?? [:], ring.base.positions)
    }

    /// What was read.
    mutating func receive(_ range: EventRange) {
        guard source == .history else { return }
        page = range.events[...]
        pageEnd = StreamCursor(range.reached)
        source = .page
    }

    /// The next event of the page, and the cursor behind it. Only while the source is a page.
    ///
    /// - Returns: nil when there is no next one: the source has changed.
    mutating func nextOfPage(ring: EventRing) -> (event: StoredEvent, cursor: StreamCursor)? {
        guard source == .page, var seen else { return nil }
        guard let event = page.popFirst() else {
            for (partition, position) in pageEnd?.positions ?? [:] { seen.advance(partition, to: position) }
            self.seen = seen
            page = []
            pageEnd = nil
            settle(ring)
            return nil
        }
        seen.advance(event.partition, to: event.position)
        self.seen = seen
        return (event, seen)
    }

    /// Gives up what is missing and goes on with what comes.
    mutating func skipToEnd() {
        self = SubscriptionProgress()
    }

    /// Chooses between history and the ring.
    private mutating func settle(_ ring: EventRing) {
        guard let seen else { return }
        source = ring.covers(seen) ? .ring(ring.number(behind: seen)) : .history
    }

    private mutating func become(currentIn ring: EventRing) {
        source = .current
        mayLeaveOut = false
        isInStep = true
        if let seen, ring.reaches(seen) { self.seen = nil }
    }
}
