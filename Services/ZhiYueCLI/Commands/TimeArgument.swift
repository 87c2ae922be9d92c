internal import ArgumentParser
internal import Domain

/// A time as operators give it: `2026-11-22T08:00:00Z`, a date, or how long ago, as `90s`, `15m`, `2h`, `7d`.
struct TimeArgument: ExpressibleByArgument, Equatable {
    static let help = "as 2026-11-22T08:00:00Z, 2026-11-22 or 15m, 2h, 7d ago"

    let time: Timestamp

    init?(argument: String) {
        self.init(argument, now: .now)
    }

    init?(_ text: String, now: Timestamp) {
        if let time = Timestamp(rfc3339: text) ?? Timestamp(rfc3339: "\(text)T00:00:00Z") {
            self.time = time
            return
        }
        let seconds: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = text.last, let factor = seconds[unit], let count = Int64(text.dropLast()), count >= 0,
            count <= 36_500 * 86_400 / factor
        else { return nil }
        time = Timestamp(milliseconds: now.milliseconds - count * factor * 1000)
    }
}
