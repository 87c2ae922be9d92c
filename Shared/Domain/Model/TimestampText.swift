/// `2026-11-22T08:15:30.125Z` without the cost of a general date formatter, which would be most of an event's cost.
enum TimestampText {
    /// Bytes of the text.
    static let length = 24

    /// - Returns: nil outside the years 0 to 9999.
    static func text(_ time: Timestamp) -> String? {
        let (days, millisecondsOfDay) = floorDivide(time.milliseconds, by: 86_400_000)
        let (year, month, day) = civil(days)
        guard (0...9999).contains(year) else { return nil }
        var digits: [UInt8] = []
        digits.reserveCapacity(24)
        func append(_ number: Int64, _ width: Int, then separator: Unicode.Scalar) {
            var divisor: Int64 = width == 4 ? 1000 : width == 3 ? 100 : 10
            while divisor > 0 {
                digits.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
                divisor /= 10
            }
            digits.append(UInt8(ascii: separator))
        }
        append(year, 4, then: "-")
        append(month, 2, then: "-")
        append(day, 2, then: "T")
        append(millisecondsOfDay / 3_600_000, 2, then: ":")
        append(millisecondsOfDay / 60_000 % 60, 2, then: ":")
        append(millisecondsOfDay / 1000 % 60, 2, then: ".")
        append(millisecondsOfDay % 1000, 3, then: "Z")
        return String(decoding: digits, as: UTF8.self)
    }

    /// - Returns: nil for any other form, and for dates that do not exist.
    static func parse(_ text: String) -> Timestamp? {
        var text = text
        return text.withUTF8 { fast($0) }
    }

    private static func fast(_ bytes: UnsafeBufferPointer<UInt8>) -> Timestamp? {
        guard bytes.count == length, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            bytes[10] == UInt8(ascii: "T"), bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            bytes[19] == UInt8(ascii: "."), bytes[23] == UInt8(ascii: "Z")
        else { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            var value: Int64 = 0
            for index in range {
                let digit = bytes[index]
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
                value = value * 10 + Int64(digit - UInt8(ascii: "0"))
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            let millisecond = number(20..<23), (1...12).contains(month), (1...31).contains(day), hour < 24,
            minute < 60, second < 60
        else { return nil }
        let days = days(year, month, day)
        // The 31st of a month of 30 days is no date.
        guard civil(days) == (year, month, day) else { return nil }
        return Timestamp(milliseconds: ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + millisecond)
    }

    /// Days since 1970-01-01 of a date of the Gregorian calendar; years begin in March, so leap days come last.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = floorDivide(shifted, by: 400)
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(_ days: Int64) -> (Int64, Int64, Int64) {
        let (era, dayOfEra) = floorDivide(days + 719_468, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    private static func floorDivide(_ number: Int64, by divisor: Int64) -> (Int64, Int64) {
        let remainder = number % divisor
        return remainder < 0 ? (number / divisor - 1, remainder + divisor) : (number / divisor, remainder)
    }
}
