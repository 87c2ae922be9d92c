/// When something recurs: minute, hour, day of month, month, day of week, as `crontab(5)` of Vixie cron has them.
///
/// A field is `*`, a number, a name (`JAN`, `mon`), a range `a-b`, a step `*/n` or `a-b/n`, or a list of these with
/// commas. Sunday is 0 or 7. In place of the five fields: `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`.
///
/// Days: when neither the day-of-month nor the day-of-week field begins with `*`, a day that matches either is meant;
/// otherwise it must match both. That is the rule of Vixie cron 4.1 (`entry.c`, `cron.c`), by which a field such as
/// `*/2`, too, counts as unrestricted here.
///
/// Changes of the clock: when the hour field leaves out any hour, each time it names comes once. A time that the clock
/// skips comes at the first instant after the gap, several skipped ones together; a time that the clock repeats comes
/// at its first occurrence alone. When every hour is allowed, only real time counts: what is skipped is left out and
/// what is repeated comes again, so that `*/5 * * * *` fires every five minutes throughout.
package struct CronExpression: Sendable, Equatable {
    /// As it was given.
    package let text: String
    let minute: CronField
    let hour: CronField
    let dayOfMonth: CronField
    let month: CronField
    let dayOfWeek: CronField

    /// The longest text allowed, in UTF-8 bytes.
    package static let maximumLength = 256

    /// - Throws: `.invalid` with the name of the field that is wrong and what it allows.
    package init(_ text: String) throws(TaskQueueError) {
        guard text.utf8.count <= Self.maximumLength else {
            throw TaskQueueError(.invalid, "a cron expression has at most \(Self.maximumLength) bytes")
        }
        var fields = text.split(whereSeparator: { $0 == " " || $0 == "\t" })
        if let word = fields.first, word.first == "@" {
            guard fields.count == 1, let meaning = Self.shorthands[word.lowercased()] else {
                throw TaskQueueError(
                    .invalid,
                    "the cron expression \(text.debugDescription) is unknown: "
                        + "allowed are @hourly, @daily, @weekly, @monthly, @yearly and five fields")
            }
            fields = meaning.split(separator: " ")
        }
        guard fields.count == 5 else {
            throw TaskQueueError(
                .invalid,
                "a cron expression has five fields, minute hour day-of-month month day-of-week, "
                    + "not \(fields.count)")
        }
        self.text = text
        minute = try CronField(fields[0], .minute)
        hour = try CronField(fields[1], .hour)
        dayOfMonth = try CronField(fields[2], .dayOfMonth)
        month = try CronField(fields[3], .month)
        dayOfWeek = try CronField(fields[4], .dayOfWeek)
    }

    private static let shorthands = [
        "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
        "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
    ]

    func matchesDay(_ daysSince1970: Int64, _ date: CivilDate) -> Bool {
        guard month.allows(date.month) else { return false }
        let inMonth = dayOfMonth.allows(date.day)
        let inWeek = dayOfWeek.allows(CivilDate.weekday(daysSince1970: daysSince1970))
        return dayOfMonth.isStarred || dayOfWeek.isStarred ? inMonth && inWeek : inMonth || inWeek
    }
}

extension CronExpression: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        do throws(TaskQueueError) {
            self = try CronExpression(text)
        } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.message)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
