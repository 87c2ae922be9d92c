/// How far a place's clock is from UTC, when.
///
/// `FoundationEssentials` knows no time zone by its name, and all of `Foundation` weighs too much for a service, so the
/// time zone database of the system is read here.
package struct TimeZoneRules: Sendable, Equatable {
    /// From `second` on (since 1970), the clock is `offset` seconds ahead of UTC.
    struct Transition: Sendable, Equatable {
        let second: Int64
        let offset: Int64
    }

    /// As in the time zone database: `Europe/Berlin`.
    package let name: String
    /// Seconds ahead of UTC before the first transition.
    let firstOffset: Int64
    /// In ascending order.
    let transitions: [Transition]
    /// What applies from the last transition on.
    let rule: POSIXTimeZoneRule?

    /// Offsets are shorter, in seconds.
    static let longestOffset: Int64 = 26 * 3600

    package static let utc = TimeZoneRules(name: "UTC", firstOffset: 0, transitions: [], rule: nil)

    /// Seconds the clock is ahead of UTC.
    func offset(at second: Int64) -> Int64 {
        let index = indexOfTransition(after: second)
        if index == transitions.count, let rule {
            return rule.offset(at: second)
        }
        return index == 0 ? firstOffset : transitions[index - 1].offset
    }

    /// When the offset next changes, in seconds since 1970; at times it is only named anew.
    func nextTransition(after second: Int64) -> Int64? {
        let index = indexOfTransition(after: second)
        return index < transitions.count ? transitions[index].second : rule?.nextTransition(after: second)
    }

    /// The first instant at which the clock shows the wall time or, where it skips that, a later one.
    func firstInstant(showing wallTime: Int64) -> Int64 {
        var start = wallTime - Self.longestOffset
        while true {
            let instant = max(start, wallTime - offset(at: start))
            guard let end = nextTransition(after: start), end <= instant else { return instant }
            start = end
        }
    }

    private func indexOfTransition(after second: Int64) -> Int {
        var low = 0
        var high = transitions.count
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle].second <= second {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }
}
