import Foundation
import Testing

@testable import ZhiYueCLI

@Suite struct ChildLogTests {
    @Test("Warnings, errors and what is no log line are shown to the operator, the rest is not")
    func notableLines() {
        #expect(ChildLog.isNotable(#"{"level":"error","message":"no"}"#))
        #expect(ChildLog.isNotable(#"{"time":1,"level":"warning"}"#))
        #expect(ChildLog.isNotable("Fatal error: index out of range"))
        #expect(!ChildLog.isNotable(#"{"level":"info","message":"error"}"#))
        #expect(!ChildLog.isNotable(""))
    }

    @Test("A log never takes more than two files of the maximum size, and no line is torn by the change")
    func rotation() throws {
        let temporary = try TemporaryDirectory()
        let log = try ChildLog(name: "busy", directory: temporary.path, showsWarnings: false)
        let line = Array((String(repeating: "x", count: 1023) + "\n").utf8)
        let lines = ChildLog.maximumFileBytes / line.count * 2 + 100
        for _ in 0..<lines { log.append(line[...]) }
        let sizes = try ["busy.log", "busy.log.1"].map { name in
            try #require(
                try FileManager.default.attributesOfItem(atPath: temporary.path + "/" + name)[.size] as? Int)
        }
        #expect(sizes == [100 * line.count, ChildLog.maximumFileBytes])
    }

    @Test("A service that logs without end is shown for its first lines, then again after a while")
    func limiter() {
        let start = ContinuousClock.Instant.now
        var limiter = LineLimiter()
        let first = (0..<100).map { _ in limiter.admit(at: start) }
        #expect(first.filter { $0 == .show }.count == LineLimiter.lines - 1)
        #expect(first[LineLimiter.lines - 1] == .showLast)
        #expect(first.last == .hide)
        let later = limiter.admit(at: start + LineLimiter.window)
        #expect(later == .show)
    }
}
