import Foundation
import Testing

@testable import TaskQueue

@Suite struct TimeZoneRulesTests {
    @Test(arguments: [
        "Asia/Shanghai", "Europe/Berlin", "America/New_York", "UTC", "Europe/London", "Europe/Dublin", "Asia/Kolkata",
        "Asia/Kathmandu", "Australia/Sydney", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Apia",
        "America/Santiago", "America/St_Johns", "Etc/GMT+5", "America/Argentina/Buenos_Aires",
    ])
    func `offsets are those of the system library`(name: String) throws {
        let rules = try TimeZoneRules(named: name)
        let known = try #require(TimeZone(identifier: name))
        // 1972 to 2037, each 15 days and a bit.
        for second in stride(from: Int64(63_072_000), to: 2_114_380_800, by: 1_332_179) {
            let expected = known.secondsFromGMT(for: Date(timeIntervalSince1970: Double(second)))
            #expect(rules.offset(at: second) == Int64(expected), "\(second)")
        }
    }

    @Test(arguments: ["Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Shanghai", "Africa/Casablanca"])
    func `between two transitions the offset stays`(name: String) throws {
        let rules = try TimeZoneRules(named: name)
        var second: Int64 = -3_000_000_000
        var count = 0
        while let next = rules.nextTransition(after: second), next < 8_000_000_000 {
            #expect(next > second)
            for inside in [second, (second + next) / 2, next - 1] where inside > -3_000_000_000 {
                #expect(rules.offset(at: inside) == rules.offset(at: second))
            }
            second = next
            count += 1
        }
        #expect(count > 10)
    }

    @Test func `every zone of the system can be read`() throws {
        let directory = TimeZoneRules.systemDirectory
        var read = 0
        for case let path as String in try #require(FileManager.default.enumerator(atPath: directory)) {
            let isArea = ["Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Etc/", "Pacific/"]
                .contains { path.hasPrefix($0) }
            var isFolder: ObjCBool = false
            guard isArea, FileManager.default.fileExists(atPath: "\(directory)/\(path)", isDirectory: &isFolder),
                !isFolder.boolValue
            else { continue }
            #expect(throws: Never.self) { try TimeZoneRules(named: path) }
            read += 1
        }
        #expect(read > 300)
    }

    @Test(arguments: [
        "", "/", "/etc/passwd", "..", "../etc/passwd", "Europe/../../etc/passwd", "Europe/..", "Europe//Berlin",
        "Europe/", "/Europe/Berlin", "./UTC", "Europe/Berlin\u{0}", "Europe/Berlin ", "zone.tab", "tzdata.zi", "Europe",
        "Atlantis/Centre", "欧洲/柏林", "Europe\\Berlin", "leapseconds", String(repeating: "A", count: 65),
        String(repeating: "A/", count: 100_000) + "A",
    ])
    func `what is no zone is refused`(name: String) {
        let error = #expect(throws: TaskQueueError.self) { try TimeZoneRules(named: name) }
        #expect(error?.code == .invalid)
        #expect((error?.message.utf8.count ?? .max) < 400)
    }

    @Test func `a damaged file is refused or read, never a crash`() throws {
        let path = "\(TimeZoneRules.systemDirectory)/Europe/Berlin"
        let file = [UInt8](try Data(contentsOf: URL(filePath: path)))
        for count in stride(from: 0, to: file.count, by: 7) {
            #expect(throws: TaskQueueError.self) { try TimeZoneRules(name: "x", file: Array(file[..<count])) }
        }
        var generator = CronPropertyTests.Generator(state: 3)
        var refused = 0
        for _ in 0..<1500 {
            var damaged = file
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                damaged[Int.random(in: 0..<damaged.count, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            do {
                let rules = try TimeZoneRules(name: "x", file: damaged)
                let time = Int64.random(in: 0..<4_000_000_000, using: &generator)
                #expect(abs(rules.offset(at: time)) <= TimeZoneRules.longestOffset)
                #expect((rules.nextTransition(after: time) ?? .max) > time)
                _ = rules.firstInstant(showing: time)
            } catch {
                refused += 1
            }
        }
        #expect(refused > 100)
    }

    @Test(arguments: [
        ("EST5EDT,M3.2.0,M11.1.0", -18_000, 2), ("<+0330>-3:30", 12_600, 0), ("CET-1CEST,M3.5.0,M10.5.0/3", 3600, 2),
        ("IST-1GMT0,M10.5.0,M3.5.0/1", 3600, 2), ("EET-2EEST,M3.4.4/50,M10.4.4/50", 7200, 2),
        ("<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", -10_800, 2), ("AAA-1BBB,J60,J300", 3600, 2),
        ("AAA-1BBB,59/0,299/0", 3600, 2),
    ])
    func `the rule for later years is read`(text: String, standardOffset: Int64, changesInAYear: Int) throws {
        let rule = try #require(POSIXTimeZoneRule(Array(text.utf8)))
        #expect(rule.standardOffset == standardOffset)
        let start = CivilDate.daysSince1970(year: 2040, month: 1, day: 1) * 86_400
        let end = CivilDate.daysSince1970(year: 2041, month: 1, day: 1) * 86_400
        var second = start
        var changes = 0
        while let next = rule.nextTransition(after: second), next < end {
            #expect(rule.offset(at: next) != rule.offset(at: next - 1))
            second = next
            changes += 1
        }
        #expect(changes == changesInAYear)
    }

    @Test func `a summer all the year has no winter`() throws {
        let rule = try #require(POSIXTimeZoneRule(Array("EST5EDT,0/0,J365/25".utf8)))
        for second in stride(from: Int64(2_000_000_000), to: 2_200_000_000, by: 36_000) {
            #expect(rule.offset(at: second) == -14_400)
        }
    }

    @Test(arguments: [
        "", "A", "AB-1", "CET", "CET-", "CET-25", "CET-1CEST", "CET-1CEST,", "CET-1CEST,M3.5.0",
        "CET-1CEST,M13.5.0,M1.1.1",
        "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0/168", "CET-1CEST,J0,J1",
        "CET-1CEST,366,1", "CET-1CEST,M3.5.0,M10.5.0 ", "<>-1", "<+01-1", "CET-1:60", "CET-1CEST,M3.5.0,M10.5.0,M1.1.1",
        "CET-99999999999999999999",
    ])
    func `a malformed rule is refused`(text: String) {
        #expect(POSIXTimeZoneRule(Array(text.utf8)) == nil)
    }
}
