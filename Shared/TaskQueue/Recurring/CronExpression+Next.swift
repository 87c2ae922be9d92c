package import Domain

// Wall times are seconds since 1970 as the clock on the wall shows them, as though it were in UTC.
extension CronExpression {
    /// The first instant strictly after `time` that the expression means in the zone, always on a whole second.
    /// - Returns: nil when there is none within 8 years (the 31st of February), or the year is not 1 to 9999.
    package func next(after time: Timestamp, in zone: TimeZoneRules) -> Timestamp? {
        let second = time.milliseconds.flooredDivision(by: 1000).quotient
        guard Self.years.contains(second) else { return nil }
        let next = hour.count == 24 ? nextElapsed(after: second, in: zone) : nextNamed(after: second, in: zone)
        return next.map { Timestamp(milliseconds: $0 * 1000) }
    }

    /// The years 1 to 9999, in seconds since 1970.
    private static let years: Range<Int64> = -62_135_596_800..<253_402_300_800
    /// Eight years have at most so many days beside the first.
    private static let horizon: Int64 = 2922

    /// Each wall time comes once: when the clock first shows it or a later one.
    private func nextNamed(after second: Int64, in zone: TimeZoneRules) -> Int64? {
        // What the clock has shown so far, or anything before it, has had its turn. It is ahead of what it shows now
        // when it was put back not long ago; no offset is longer than a day and two hours.
        var shown = second + zone.offset(at: second)
        var start = second - 2 * TimeZoneRules.longestOffset
        while let transition = zone.nextTransition(after: start), transition <= second {
            shown = max(shown, transition - 1 + zone.offset(at: transition - 1))
            start = transition
        }
        let horizon = horizonDay(from: shown)
        return nextWallTime(from: shown + 1, throughDay: horizon, before: .max).map { zone.firstInstant(showing: $0) }
    }

    /// Each instant counts at which the clock shows a wall time of the expression.
    private func nextElapsed(after second: Int64, in zone: TimeZoneRules) -> Int64? {
        var start = second + 1
        let horizon = horizonDay(from: start + zone.offset(at: start))
        while true {
            let offset = zone.offset(at: start)
            let end = zone.nextTransition(after: start)
            let wallEnd = end.map { $0 + offset } ?? .max
            if let found = nextWallTime(from: start + offset, throughDay: horizon, before: wallEnd) {
                return found - offset
            }
            guard let end, (end + offset).flooredDivision(by: CivilDate.secondsOfDay).quotient <= horizon else {
                return nil
            }
            start = end
        }
    }

    private func horizonDay(from wallTime: Int64) -> Int64 {
        wallTime.flooredDivision(by: CivilDate.secondsOfDay).quotient + Self.horizon
    }

    /// The first wall time of the expression in `lower..<upper`, on no day after the given one.
    private func nextWallTime(from lower: Int64, throughDay lastDay: Int64, before upper: Int64) -> Int64? {
        // Up to the next whole minute.
        let minutes = (lower + 59).flooredDivision(by: 60).quotient
        var (day, minuteOfDay) = minutes.flooredDivision(by: 1440)
        while day <= lastDay, day * CivilDate.secondsOfDay < upper {
            let date = CivilDate(daysSince1970: day)
            if matchesDay(day, date), let found = nextMinuteOfDay(from: Int(minuteOfDay)) {
                let wallTime = day * CivilDate.secondsOfDay + Int64(found) * 60
                return wallTime < upper ? wallTime : nil
            }
            minuteOfDay = 0
            let isWrongMonth = !month.allows(date.month)
            day += isWrongMonth ? Int64(CivilDate.daysInMonth(date.month, of: date.year) - date.day + 1) : 1
        }
        return nil
    }

    private func nextMinuteOfDay(from minuteOfDay: Int) -> Int? {
        guard let firstHour = hour.first(from: minuteOfDay / 60) else { return nil }
        if firstHour == minuteOfDay / 60, let firstMinute = minute.first(from: minuteOfDay % 60) {
            return firstHour * 60 + firstMinute
        }
        let laterHour = firstHour == minuteOfDay / 60 ? hour.first(from: firstHour + 1) : firstHour
        guard let laterHour, let firstMinute = minute.first(from: 0) else { return nil }
        return laterHour * 60 + firstMinute
    }
}
