/// The accounting of a run: what clients should have been told, by the streams, against what they were.
struct DeliveryVerdict: Equatable, CustomStringConvertible {
    var clients = 0
    var subscriptions = 0
    var expected = 0
    var delivered = 0
    var missing = 0
    var doubled = 0
    /// Told before one that is before it in its partition.
    var outOfOrder = 0
    /// Told although nobody asked for it, or although it is in no stream.
    var foreign = 0
    /// Progress that a later one has made old; told to clients that keep up only, so it may be missing.
    var leftOut = 0

    var isClean: Bool { missing == 0 && doubled == 0 && outOfOrder == 0 && foreign == 0 }

    /// - Parameter received: numbers of events, in the order they came.
    mutating func judge(_ following: Following, received: [Int], _ ledger: EventLedger) {
        let wanted = ledger.expected(following)
        subscriptions += 1
        expected += wanted.count
        delivered += received.count
        var seen = Set<Int>()
        // Of each partition, the latest place that was told.
        var latest: [Int: Int] = [:]
        for number in received {
            guard let place = ledger.place(of: number), following.wants(ledger.events[place]) else {
                foreign += 1
                continue
            }
            guard seen.insert(place).inserted else {
                doubled += 1
                continue
            }
            let partition = ledger.events[place].partition
            if let last = latest[partition], last > place { outOfOrder += 1 }
            latest[partition] = max(place, latest[partition] ?? 0)
        }
        guard seen.count < wanted.count else { return }
        // From behind, so that it is known which progress is the last of its kind.
        var told: Set<String> = []
        for place in wanted.reversed() {
            let key = ledger.events[place].progressKey
            if seen.contains(place) {
                if let key { told.insert(key) }
            } else if let key, told.contains(key) {
                leftOut += 1
            } else {
                missing += 1
            }
        }
    }

    var description: String {
        """
        clients=\(clients) subscriptions=\(subscriptions) expected=\(expected) delivered=\(delivered) \
        missing=\(missing) doubled=\(doubled) out_of_order=\(outOfOrder) foreign=\(foreign) left_out=\(leftOut)
        """
    }
}
