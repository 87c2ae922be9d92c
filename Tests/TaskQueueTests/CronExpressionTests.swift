import Domain
import Foundation
import Testing

@testable import TaskQueue

@Suite struct CronExpressionTests {
    /// The firings after a time, as many as are expected.
    private func firings(
        _ expression: String, after start: String, in zone: String, count: Int
    ) throws -> [String] {
        let cron = try CronExpression(expression)
        let rules = try TimeZoneRules(named: zone)
        var time = try #require(Timestamp(rfc3339: start))
        var found: [String] = []
        while found.count < count, let next = cron.next(after: time, in: rules) {
            #expect(next > time)
            found.append(next.rfc3339.replacing(":00.000Z", with: "Z"))
            time = next
        }
        return found
    }

    @Test(arguments: [
        ("* * * * *", "2026-11-23T10:00:00Z", ["2026-11-23T10:01Z", "2026-11-23T10:02Z"]),
        ("* * * * *", "2026-11-23T09:59:59.999Z", ["2026-11-23T10:00Z"]),
        ("*/20 * * * *", "2026-11-23T23:30:00Z", ["2026-11-23T23:40Z", "2026-11-24T00:00Z"]),
        ("5,1,3-4 12 * * *", "2026-12-31T12:03:00Z", ["2026-12-31T12:04Z", "2026-12-31T12:05Z", "2027-01-01T12:01Z"]),
        ("0 9-17/4 * * *", "2026-11-23T09:00:00Z", ["2026-11-23T13:00Z", "2026-11-23T17:00Z", "2026-11-24T09:00Z"]),
        ("  30\t4  1 * * ", "2026-11-23T00:00:00Z", ["2026-12-01T04:30Z", "2027-01-01T04:30Z"]),
        ("0 0 31 * *", "2026-11-23T00:00:00Z", ["2026-12-31T00:00Z", "2027-01-31T00:00Z", "2027-03-31T00:00Z"]),
        ("0 0 29 2 *", "2026-01-01T00:00:00Z", ["2028-02-29T00:00Z", "2032-02-29T00:00Z"]),
        ("0 0 29 FEB *", "2096-02-29T00:00:00Z", ["2104-02-29T00:00Z"]),
        ("0 0 28-31 feb *", "2027-02-28T00:00:00Z", ["2028-02-28T00:00Z", "2028-02-29T00:00Z"]),
        ("0 0 * * 7", "2026-11-23T00:00:00Z", ["2026-11-29T00:00Z", "2026-12-06T00:00Z"]),
        ("0 0 * * 0", "2026-11-23T00:00:00Z", ["2026-11-29T00:00Z"]),
        ("0 0 * * mon-FRI", "2026-11-26T00:00:00Z", ["2026-11-27T00:00Z", "2026-11-30T00:00Z"]),
        ("0 0 * * Fri-Sun", "2026-11-27T00:00:00Z", ["2026-11-28T00:00Z", "2026-11-29T00:00Z", "2026-12-04T00:00Z"]),
        ("0 0 * * 5-7", "2026-11-27T00:00:00Z", ["2026-11-28T00:00Z", "2026-11-29T00:00Z", "2026-12-04T00:00Z"]),
        // Both days restricted: either matches.
        ("0 0 13 * 5", "2026-11-10T00:00:00Z", ["2026-11-13T00:00Z", "2026-11-20T00:00Z", "2026-11-27T00:00Z"]),
        ("0 0 13 * 1", "2026-11-10T00:00:00Z", ["2026-11-13T00:00Z", "2026-11-16T00:00Z"]),
        ("0 0 31 2 1", "2026-11-10T00:00:00Z", ["2027-02-01T00:00Z", "2027-02-08T00:00Z"]),
        // One begins with a star: both must match.
        ("0 0 */2 * 1", "2026-11-01T00:00:00Z", ["2026-11-09T00:00Z", "2026-11-23T00:00Z", "2026-12-07T00:00Z"]),
        ("0 0 1 * */2", "2026-11-01T00:00:00Z", ["2026-12-01T00:00Z", "2027-04-01T00:00Z"]),
        ("@hourly", "2026-11-23T10:30:00Z", ["2026-11-23T11:00Z", "2026-11-23T12:00Z"]),
        ("@daily", "2026-11-30T10:30:00Z", ["2026-12-01T00:00Z"]),
        ("@weekly", "2026-11-23T10:30:00Z", ["2026-11-29T00:00Z", "2026-12-06T00:00Z"]),
        ("@MONTHLY", "2026-11-23T10:30:00Z", ["2026-12-01T00:00Z", "2027-01-01T00:00Z"]),
        ("@yearly", "2026-11-23T10:30:00Z", ["2027-01-01T00:00Z"]),
        // Before 1970.
        ("0 12 * * *", "1969-12-30T13:00:00Z", ["1969-12-31T12:00Z", "1970-01-01T12:00Z"]),
    ])
    func `in UTC it fires when its fields say`(expression: String, start: String, expected: [String]) throws {
        #expect(try firings(expression, after: start, in: "UTC", count: expected.count) == expected)
    }

    @Test(arguments: [
        ("0 8 * * *", "2026-11-23T00:00:00Z", "Asia/Shanghai", ["2026-11-24T00:00Z", "2026-11-25T00:00Z"]),
        ("0 8 * * *", "2026-11-22T23:59:59Z", "Asia/Shanghai", ["2026-11-23T00:00Z"]),
        // 2026-03-29, 02:00 becomes 03:00 in Berlin. What is skipped comes at 03:00, together.
        (
            "30 2 * * *", "2026-03-28T00:00:00Z", "Europe/Berlin",
            [
                "2026-03-28T01:30Z", "2026-03-29T01:00Z", "2026-03-30T00:30Z",
            ]
        ),
        ("*/15 2 * * *", "2026-03-29T00:00:00Z", "Europe/Berlin", ["2026-03-29T01:00Z", "2026-03-30T00:00Z"]),
        ("0 2,3 * * *", "2026-03-29T00:00:00Z", "Europe/Berlin", ["2026-03-29T01:00Z", "2026-03-30T00:00Z"]),
        ("30 * * * *", "2026-03-29T00:00:00Z", "Europe/Berlin", ["2026-03-29T00:30Z", "2026-03-29T01:30Z"]),
        (
            "*/30 * * * *", "2026-03-29T00:00:00Z", "Europe/Berlin",
            [
                "2026-03-29T00:30Z", "2026-03-29T01:00Z", "2026-03-29T01:30Z",
            ]
        ),
        // 2026-10-25, 03:00 becomes 02:00 again.
        ("30 2 * * *", "2026-10-24T12:00:00Z", "Europe/Berlin", ["2026-10-25T00:30Z", "2026-10-26T01:30Z"]),
        ("30 2 * * *", "2026-10-25T01:00:00Z", "Europe/Berlin", ["2026-10-26T01:30Z"]),
        (
            "0,30 2-3 * * *", "2026-10-25T00:00:00Z", "Europe/Berlin",
            [
                "2026-10-25T00:30Z", "2026-10-25T02:00Z", "2026-10-25T02:30Z",
            ]
        ),
        ("0 3 * * *", "2026-10-24T12:00:00Z", "Europe/Berlin", ["2026-10-25T02:00Z"]),
        (
            "30 * * * *", "2026-10-25T00:00:00Z", "Europe/Berlin",
            [
                "2026-10-25T00:30Z", "2026-10-25T01:30Z", "2026-10-25T02:30Z",
            ]
        ),
        (
            "0 */2 * * *", "2026-10-24T22:00:00Z", "Europe/Berlin",
            [
                "2026-10-25T00:00Z", "2026-10-25T03:00Z", "2026-10-25T05:00Z",
            ]
        ),
        // 2026-03-08 and 2026-11-01 in New York, at 02:00.
        ("15 2 * * *", "2026-03-07T12:00:00Z", "America/New_York", ["2026-03-08T07:00Z", "2026-03-09T06:15Z"]),
        ("15 1 * * *", "2026-10-31T12:00:00Z", "America/New_York", ["2026-11-01T05:15Z", "2026-11-02T06:15Z"]),
        ("15 1 * * *", "2026-11-01T06:00:00Z", "America/New_York", ["2026-11-02T06:15Z"]),
        ("0 0 * * *", "2026-11-01T00:00:00Z", "America/New_York", ["2026-11-01T04:00Z", "2026-11-02T05:00Z"]),
        // Long after the last entry of the file, by its rule.
        ("30 2 * * *", "2099-03-28T12:00:00Z", "Europe/Berlin", ["2099-03-29T01:00Z", "2099-03-30T00:30Z"]),
        // In the south: 2026-10-04 forward, 2026-04-05 back.
        ("30 2 * * *", "2026-10-03T00:00:00Z", "Australia/Sydney", ["2026-10-03T16:00Z", "2026-10-04T15:30Z"]),
        ("30 2 * * *", "2026-04-03T16:00:00Z", "Australia/Sydney", ["2026-04-04T15:30Z", "2026-04-05T16:30Z"]),
        // Half an hour only.
        ("15 2 * * *", "2026-10-03T00:00:00Z", "Australia/Lord_Howe", ["2026-10-03T15:30Z", "2026-10-04T15:15Z"]),
        ("45 1 * * *", "2026-04-04T00:00:00Z", "Australia/Lord_Howe", ["2026-04-04T14:45Z", "2026-04-05T15:15Z"]),
        // A whole day that never was.
        ("0 12 30 12 *", "2011-12-01T00:00:00Z", "Pacific/Apia", ["2011-12-30T10:00Z", "2012-12-29T22:00Z"]),
    ])
    func `where the clock changes, it fires as promised`(
        expression: String, start: String, zone: String, expected: [String]
    ) throws {
        #expect(try firings(expression, after: start, in: zone, count: expected.count) == expected)
    }

    @Test(arguments: ["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *"])
    func `a day that no year has never comes`(expression: String) throws {
        let cron = try CronExpression(expression)
        for zone in ["UTC", "Europe/Berlin", "Africa/Casablanca"] {
            #expect(cron.next(after: .now, in: try TimeZoneRules(named: zone)) == nil)
        }
        #expect(
            try CronExpression("* * 31 2 *").next(after: .now, in: try TimeZoneRules(named: "Europe/Berlin")) == nil)
    }

    @Test func `the ends of time are no trap`() throws {
        let berlin = try TimeZoneRules(named: "Europe/Berlin")
        for expression in ["* * * * *", "0 0 1 1 *", "* * 31 2 *"] {
            let cron = try CronExpression(expression)
            #expect(cron.next(after: Timestamp(milliseconds: .max), in: berlin) == nil)
            #expect(cron.next(after: Timestamp(milliseconds: .min), in: berlin) == nil)
        }
        let end = Timestamp(milliseconds: 253_402_300_799_999)
        #expect(try CronExpression("* * * * *").next(after: end, in: .utc)?.milliseconds == 253_402_300_800_000)
        let start = Timestamp(milliseconds: -62_135_596_800_000)
        #expect(try CronExpression("0 3 * * *").next(after: start, in: berlin) != nil)
    }

    @Test(arguments: [
        ("60 * * * *", "minute"), ("-1 * * * *", "minute"), ("* 24 * * *", "hour"), ("* * 0 * *", "day-of-month"),
        ("* * 32 * *", "day-of-month"), ("* * * 0 *", "month"), ("* * * 13 *", "month"), ("* * * * 8", "day-of-week"),
        ("*/0 * * * *", "minute"), ("*/61 * * * *", "minute"), ("*/-1 * * * *", "minute"), ("5/15 * * * *", "minute"),
        ("5- * * * *", "minute"), ("-5 * * * *", "minute"), ("10-5 * * * *", "minute"), ("1-2-3 * * * *", "minute"),
        ("*/2/3 * * * *", "minute"), ("1,,2 * * * *", "minute"), (", * * * *", "minute"), ("1, * * * *", "minute"),
        ("** * * * *", "minute"), ("*-5 * * * *", "minute"), ("1.5 * * * *", "minute"), ("+5 * * * *", "minute"),
        ("0x1 * * * *", "minute"), ("99999999999999999999999999 * * * *", "minute"),
        ("* 18446744073709551616 * * *", "hour"), ("* * */4294967297 * *", "day-of-month"),
        ("٣ * * * *", "minute"), ("１ * * * *", "minute"), ("* * * * 月", "day-of-week"), ("* * * JANUARY *", "month"),
        ("* * * MON *", "month"), ("* * * * JAN", "day-of-week"), ("* MON * * *", "hour"),
        ("* * * * MON-", "day-of-week"),
        ("* * * * ＭＯＮ", "day-of-week"), ("* * * * SAT-MON", "day-of-week"), ("? * * * *", "minute"),
        ("* * L * *", "day-of-month"), ("* * * * 5#2", "day-of-week"), ("\u{0} * * * *", "minute"),
        ("*\n * * * *", "minute"), ("*/ * * * *", "minute"), ("/5 * * * *", "minute"), ("/ * * * *", "minute"),
        ("00000 * * * *", "minute"), ("* * * * 1\u{301}", "day-of-week"),
    ])
    func `a wrong field is refused by its name`(expression: String, field: String) {
        let error = #expect(throws: TaskQueueError.self) { try CronExpression(expression) }
        #expect(error?.code == .invalid)
        #expect(error?.message.contains("the \(field) field") == true)
        #expect(error?.message.contains("allowed are") == true)
    }

    @Test(arguments: [
        "", " ", "\t", "*", "* * * *", "* * * * * *", "*\u{A0}*\u{A0}*\u{A0}*\u{A0}*", "*\n*\n*\n*\n*", "@", "@reboot",
        "@daily *", "@ daily", "@hourlyx", "daily", String(repeating: "* ", count: 100_000),
        "1" + String(repeating: ",1", count: 200) + " * * * *",
    ])
    func `what are not five fields is refused`(expression: String) {
        let error = #expect(throws: TaskQueueError.self) { try CronExpression(expression) }
        #expect(error?.code == .invalid)
    }

    @Test func `it is coded as its text, and a malformed one does not decode`() throws {
        let expressions = [try CronExpression("*/5 * * * mon"), try CronExpression("@daily")]
        let data = try JSONEncoder().encode(expressions.map(\.text))
        #expect(try JSONEncoder().encode(expressions) == data)
        #expect(try JSONDecoder().decode([CronExpression].self, from: data) == expressions)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([CronExpression].self, from: Data(#"["61 * * * *"]"#.utf8))
        }
        #expect(throws: DecodingError.self) { try JSONDecoder().decode([CronExpression].self, from: Data("[5]".utf8)) }
    }
}
