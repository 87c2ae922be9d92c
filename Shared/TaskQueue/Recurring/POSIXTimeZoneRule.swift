/// A rule for every year as in POSIX's `TZ`, with the extensions of RFC 9636: `CET-1CEST,M3.5.0,M10.5.0/3`.
struct POSIXTimeZoneRule: Sendable, Equatable {
    struct Day: Sendable, Equatable {
        enum Form: Sendable, Equatable {
            /// 1 to 365, 29 February is never counted.
            case julian(Int)
            /// 0 to 365, 29 February is counted.
            case zeroBased(Int)
            /// The week 1 to 5 (5 is the last) of a month, and the weekday, Sunday being 0.
            case week(month: Int, week: Int, weekday: Int)
        }

        let form: Form
        /// Seconds from midnight, at most 167 hours before or after.
        let time: Int64

        /// The wall time, in seconds since 1970.
        func wallTime(in year: Int64) -> Int64 {
            let newYear = CivilDate.daysSince1970(year: year, month: 1, day: 1)
            let days: Int64
            switch form {
            case .julian(let day): days = newYear + Int64(day - 1) + (CivilDate.isLeap(year) && day >= 60 ? 1 : 0)
            case .zeroBased(let day): days = newYear + Int64(day)
            case .week(let month, let week, let weekday):
                let first = CivilDate.daysSince1970(year: year, month: month, day: 1)
                var day = 1 + (weekday - CivilDate.weekday(daysSince1970: first) + 7) % 7 + (week - 1) * 7
                if day > CivilDate.daysInMonth(month, of: year) {
                    day -= 7
                }
                days = first + Int64(day - 1)
            }
            return days * CivilDate.secondsOfDay + time
        }
    }

    struct Summer: Sendable, Equatable {
        /// Seconds ahead of UTC.
        let offset: Int64
        /// In standard time.
        let start: Day
        /// In summer time.
        let end: Day
    }

    /// Seconds ahead of UTC.
    let standardOffset: Int64
    let summer: Summer?

    func offset(at second: Int64) -> Int64 {
        changes(around: second).last { $0.second <= second }?.offset ?? standardOffset
    }

    func nextTransition(after second: Int64) -> Int64? {
        changes(around: second).first { $0.second > second }?.second
    }

    /// Those of the years before and after, so that there is one on each side.
    private func changes(around second: Int64) -> [TimeZoneRules.Transition] {
        guard let summer else { return [] }
        let year = CivilDate(daysSince1970: second.flooredDivision(by: CivilDate.secondsOfDay).quotient).year
        let changes = (year - 2...year + 2).flatMap { year in
            [
                TimeZoneRules.Transition(
                    second: summer.start.wallTime(in: year) - standardOffset, offset: summer.offset),
                TimeZoneRules.Transition(second: summer.end.wallTime(in: year) - summer.offset, offset: standardOffset),
            ]
        }
        // Where one summer ends as the next begins, the one that begins counts; hence the order of years is kept.
        return changes.enumerated().sorted { ($0.element.second, $0.offset) < ($1.element.second, $1.offset) }
            .map(\.element)
    }
}
