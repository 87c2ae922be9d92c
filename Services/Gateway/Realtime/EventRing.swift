import DequeModule
import EventBus
import NIOCore

/// The latest events, bounded, under numbers that only grow. Everything behind `base` in each partition, up to `end`, is
/// in here: that is what makes it safe to go on from history to here. Pure.
struct EventRing {
    private let capacity: Int
    private let maxBytes: Int
    private var entries: Deque<RingEntry> = []
    private var bytes = 0
    /// The number of the oldest entry, and of the next one when there is none.
    private(set) var first: UInt64 = 0
    /// Before the oldest entry, in each partition.
    private(set) var base: StreamCursor
    /// Behind the latest entry, in each partition.
    private(set) var end: StreamCursor
    /// The numbers of each partition's entries, in their order.
    private var numbers: [Int: Deque<UInt64>] = [:]
    /// Of each progress key, the number of the latest entry.
    private var latest: [String: UInt64] = [:]

    /// - Parameters:
    ///   - start: where events begin to be appended, in every partition.
    ///   - maxBytes: of JSON; the latest entry is kept however large it is.
    init(start: StreamCursor, capacity: Int, maxBytes: Int) {
        base = start
        end = start
        self.capacity = capacity
        self.maxBytes = maxBytes
    }

    /// The number the next entry will have.
    var next: UInt64 { first + UInt64(entries.count) }

    /// - Returns: nil when the entry has been removed, or is not yet there.
    subscript(number: UInt64) -> RingEntry? {
        guard number >= first, number < next else { return nil }
        return entries[entries.startIndex + Int(number - first)]
    }

    /// What an entry was appended as.
    struct Place {
        let number: UInt64
        /// The end of its partition before it.
        let previous: StreamPosition
        /// The entry whose progress it makes old.
        let supersedes: UInt64?
    }

    /// - Returns: nil when the event is there already.
    mutating func append(_ entry: RingEntry) -> Place? {
        let previous = end.positions[entry.partition] ?? .zero
        guard entry.position > previous else { return nil }
        let place = Place(
            number: next, previous: previous,
            supersedes: entry.progressKey.flatMap { latest.updateValue(next, forKey: $0) })
        numbers[entry.partition, default: []].append(next)
        entries.append(entry)
        end.advance(entry.partition, to: entry.position)
        bytes += entry.json.readableBytes
        while entries.count > capacity || (bytes > maxBytes && entries.count > 1) { removeFirst() }
        return place
    }

    /// The number of the first entry that is not yet behind `cursor`, in the partitions it has; `next` when there is none.
    func number(behind cursor: StreamCursor) -> UInt64 {
        cursor.positions.map { partition, position in
            let numbers = numbers[partition] ?? []
            var (low, high) = (0, numbers.count)
            while low < high {
                let middle = (low + high) / 2
                if let entry = self[numbers[middle]], entry.position <= position {
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            return low < numbers.count ? numbers[low] : next
        }.min() ?? next
    }

    /// Whether a later entry says the same, newer.
    func isSuperseded(_ number: UInt64) -> Bool {
        guard let key = self[number]?.progressKey, let latest = latest[key] else { return false }
        return latest > number
    }

    /// Whether all events behind `cursor` that have been appended are still here.
    func covers(_ cursor: StreamCursor) -> Bool {
        cursor.positions.allSatisfy { partition, position in position >= base.positions[partition] ?? .zero }
    }

    /// Whether `cursor` is nowhere ahead of what has been appended.
    func reaches(_ cursor: StreamCursor) -> Bool {
        cursor.positions.allSatisfy { partition, position in position <= end.positions[partition] ?? .zero }
    }

    private mutating func removeFirst() {
        let entry = entries.removeFirst()
        _ = numbers[entry.partition]?.popFirst()
        if let key = entry.progressKey, latest[key] == first { latest[key] = nil }
        base.advance(entry.partition, to: entry.position)
        bytes -= entry.json.readableBytes
        first += 1
    }
}
