extension POSIXTimeZoneRule {
    /// - Returns: nil when the text is malformed, or names summer time without its rules.
    init?(_ text: some Collection<UInt8>) {
        var parser = Parser(rest: Array(text)[...])
        guard parser.name(), let standardWest = parser.offset() else { return nil }
        standardOffset = -standardWest
        guard !parser.rest.isEmpty else {
            summer = nil
            return
        }
        guard parser.name() else { return nil }
        var summerOffset = standardOffset + 3600
        if parser.rest.first != UInt8(ascii: ",") {
            guard let summerWest = parser.offset() else { return nil }
            summerOffset = -summerWest
        }
        guard let start = parser.day(), let end = parser.day(), parser.rest.isEmpty else { return nil }
        summer = Summer(offset: summerOffset, start: start, end: end)
    }

    private struct Parser {
        var rest: ArraySlice<UInt8>

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard rest.first == UInt8(ascii: character) else { return false }
            rest.removeFirst()
            return true
        }

        /// Three letters or more, or anything of letters, digits and signs in `<>`.
        mutating func name() -> Bool {
            if take("<") {
                guard let end = rest.firstIndex(of: UInt8(ascii: ">")), end > rest.startIndex else { return false }
                rest = rest[(end + 1)...]
                return true
            }
            let letters = rest.prefix { (0x61...0x7A).contains($0 | 0x20) }
            rest = rest.dropFirst(letters.count)
            return letters.count >= 3
        }

        mutating func number(_ range: ClosedRange<Int>) -> Int? {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            guard (1...3).contains(digits.count) else { return nil }
            rest = rest.dropFirst(digits.count)
            let value = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
            return range.contains(value) ? value : nil
        }

        /// `[+-]hh[:mm[:ss]]` in seconds.
        mutating func time(maximumHours: Int) -> Int64? {
            let isNegative = take("-")
            if !isNegative {
                _ = take("+")
            }
            guard let hours = number(0...maximumHours) else { return nil }
            var seconds = hours * 3600
            if take(":") {
                guard let minutes = number(0...59) else { return nil }
                seconds += minutes * 60
                if take(":") {
                    guard let rest = number(0...59) else { return nil }
                    seconds += rest
                }
            }
            return Int64(isNegative ? -seconds : seconds)
        }

        /// Seconds west of Greenwich.
        mutating func offset() -> Int64? { time(maximumHours: 24) }

        /// `,Mm.w.d`, `,Jn` or `,n`, and `/time`.
        mutating func day() -> Day? {
            guard take(",") else { return nil }
            let form: Day.Form
            if take("M") {
                guard let month = number(1...12), take("."), let week = number(1...5), take("."),
                    let weekday = number(0...6)
                else { return nil }
                form = .week(month: month, week: week, weekday: weekday)
            } else if take("J") {
                guard let day = number(1...365) else { return nil }
                form = .julian(day)
            } else {
                guard let day = number(0...365) else { return nil }
                form = .zeroBased(day)
            }
            guard take("/") else { return Day(form: form, time: 2 * 3600) }
            guard let time = time(maximumHours: 167) else { return nil }
            return Day(form: form, time: time)
        }
    }
}
