import Domain
import Foundation
import Testing

@testable import TaskQueue

@Suite struct CronPropertyTests {
    /// Random, but the same in each run.
    struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    /// A random field as text, beside the values it means, so that the parser is no part of what it is tested by.
    private struct Field {
        var text: String
        var values: Set<Int>
        var isStarred: Bool

        init(_ range: ClosedRange<Int>, starProbability: Double, using generator: inout Generator) {
            if Double.random(in: 0..<1, using: &generator) < starProbability {
                text = "*"
                values = Set(range)
                isStarred = true
                return
            }
            text = ""
            values = []
            isStarred = false
            for index in 0..<Int.random(in: 1...3, using: &generator) {
                let lower = Int.random(in: range, using: &generator)
                let upper = Int.random(in: lower...range.upperBound, using: &generator)
                let step = Int.random(in: 1...min(12, range.count), using: &generator)
                text += index == 0 ? "" : ","
                switch Int.random(in: 0..<8, using: &generator) {
                case 0:
                    text += "*/\(step)"
                    values.formUnion(stride(from: range.lowerBound, through: range.upperBound, by: step))
                    isStarred = isStarred || index == 0
                case 1:
                    text += "\(lower)-\(upper)"
                    values.formUnion(lower...upper)
                case 2:
                    text += "\(lower)-\(upper)/\(step)"
                    values.formUnion(stride(from: lower, through: upper, by: step))
                default:
                    text += "\(lower)"
                    values.insert(lower)
                }
            }
        }
    }

    private struct Sample {
        let text: String
        let minute: Field
        let hour: Field
        let day: Field
        let month: Field
        let weekday: Field

        init(using generator: inout Generator) {
            minute = Field(0...59, starProbability: 0.1, using: &generator)
            hour = Field(0...23, starProbability: 0.3, using: &generator)
            day = Field(1...31, starProbability: 0.5, using: &generator)
            month = Field(1...12, starProbability: 0.8, using: &generator)
            weekday = Field(0...6, starProbability: 0.5, using: &generator)
            text = [minute, hour, day, month, weekday].map(\.text).joined(separator: " ")
        }

        func matches(_ parts: DateComponents) -> Bool {
            guard let partMinute = parts.minute, let partHour = parts.hour, let partDay = parts.day,
                let partMonth = parts.month, let partWeekday = parts.weekday
            else { return false }
            let inMonth = day.values.contains(partDay)
            let inWeek = weekday.values.contains(partWeekday - 1)
            let isDay = day.isStarred || weekday.isStarred ? inMonth && inWeek : inMonth || inWeek
            return minute.values.contains(partMinute) && hour.values.contains(partHour)
                && month.values.contains(partMonth) && isDay
        }
    }

    /// The real minutes one by one, and what the clock shows, by the system library's calendar and zones.
    private struct Minutes {
        private var walls: [(second: Int64, wallTime: Int64)] = []
        private var parts: [Int64: DateComponents] = [:]

        /// From a day before `start` on, so that what the clock has shown by then is known.
        init(around start: Int64, count: Int64, in zone: TimeZone) throws {
            var calendar = Calendar(identifier: .gregorian)
            calendar.timeZone = try #require(TimeZone(identifier: "GMT"))
            for second in stride(from: start - 86_400, through: start + count * 60, by: 60) {
                let wallTime = second + Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(second))))
                for shown in stride(
                    from: min(wallTime, walls.last.map { $0.wallTime + 60 } ?? .max), through: wallTime, by: 60)
                where parts[shown] == nil {
                    parts[shown] = calendar.dateComponents(
                        [.minute, .hour, .day, .month, .weekday], from: Date(timeIntervalSince1970: Double(shown)))
                }
                walls.append((second, wallTime))
            }
        }

        func firings(of sample: Sample, after start: Int64) -> [Int64] {
            let matching = Set(parts.filter { sample.matches($0.value) }.keys)
            let isElapsed = sample.hour.values.count == 24
            var firings: [Int64] = []
            var shown = walls.first.map { $0.wallTime - 60 } ?? 0
            for (second, wallTime) in walls {
                let isDue =
                    isElapsed
                    ? matching.contains(wallTime)
                    : stride(from: shown + 60, through: wallTime, by: 60)
                        .contains { matching.contains($0) }
                shown = max(shown, wallTime)
                if second > start, isDue {
                    firings.append(second)
                }
            }
            return firings
        }
    }

    @Test(arguments: [
        ("UTC", "2027-12-30T00:00:00Z"), ("UTC", "2028-02-27T00:00:00Z"), ("Asia/Shanghai", "2026-11-29T12:00:00Z"),
        ("Europe/Berlin", "2026-03-28T12:00:00Z"), ("Europe/Berlin", "2026-10-24T12:00:00Z"),
        ("Europe/Berlin", "2026-10-25T00:30:00Z"), ("Europe/Berlin", "2026-10-25T01:07:00Z"),
        ("America/New_York", "2027-03-13T12:00:00Z"), ("America/New_York", "2027-11-06T12:00:00Z"),
        ("America/New_York", "2027-11-07T06:30:00Z"), ("Australia/Sydney", "2026-10-03T00:00:00Z"),
        ("Australia/Sydney", "2027-04-03T00:00:00Z"), ("Australia/Lord_Howe", "2026-10-03T00:00:00Z"),
        ("Australia/Lord_Howe", "2027-04-03T00:00:00Z"), ("America/Sao_Paulo", "2018-11-03T12:00:00Z"),
        ("Pacific/Apia", "2011-12-29T00:00:00Z"),
    ])
    func `it fires exactly when a search minute by minute finds`(zone: String, start: String) throws {
        let rules = try TimeZoneRules(named: zone)
        let known = try #require(TimeZone(identifier: zone))
        let from = try #require(Timestamp(rfc3339: start))
        let minutes: Int64 = 3 * 1440
        var generator = Generator(state: UInt64(from.milliseconds))
        var fired = 0
        let timeline = try Minutes(around: from.milliseconds / 1000, count: minutes, in: known)
        for _ in 0..<25 {
            let sample = Sample(using: &generator)
            let cron = try CronExpression(sample.text)
            let expected = timeline.firings(of: sample, after: from.milliseconds / 1000)
            var found: [Int64] = []
            var time = from
            while let next = cron.next(after: time, in: rules),
                next.milliseconds <= from.milliseconds + minutes * 60_000
            {
                guard next > time else { break }
                found.append(next.milliseconds / 1000)
                time = next
            }
            #expect(found == expected, "\(sample.text) in \(zone)")
            fired += found.count
        }
        #expect(fired > 0)
    }

    @Test func `the days of centuries are the calendar's`() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: "GMT"))
        for days in stride(from: Int64(-60_000), through: 200_000, by: 611) {
            let date = CivilDate(daysSince1970: days)
            let parts = calendar.dateComponents(
                [.year, .month, .day, .weekday], from: Date(timeIntervalSince1970: Double(days) * 86_400))
            #expect(date.year == parts.year.map(Int64.init) && date.month == parts.month && date.day == parts.day)
            #expect(CivilDate.weekday(daysSince1970: days) + 1 == parts.weekday)
            #expect(CivilDate.daysSince1970(year: date.year, month: date.month, day: date.day) == days)
        }
    }

    @Test func `random texts are refused or understood, never a crash`() throws {
        var generator = Generator(state: 7)
        let alphabet = Array("0123456789 **,-/@ \tMONJAN月\u{0}７")
        for _ in 0..<5000 {
            let text = String(
                (0..<Int.random(in: 0...24, using: &generator)).map { _ in
                    alphabet.randomElement(using: &generator) ?? " "
                })
            if let cron = try? CronExpression(text) {
                #expect(cron.text == text)
                _ = cron.next(after: Timestamp(milliseconds: 1_795_000_000_000), in: .utc)
            }
        }
    }
}
