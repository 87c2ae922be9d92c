import Domain
import Redis
import Testing

@testable import ExamStore

@Suite("Re-marking")
struct RemarkingTests {
    /// An exam with `count` marked sheets and a new key.
    private static func prepared(_ count: Int) async throws -> (StoreFixture, [SheetID], keyVersion: Int) {
        let fixture = try await StoreFixture()
        var ids: [SheetID] = []
        for number in 0..<count {
            let id = try await fixture.upload("s\(number)-")
            try await fixture.read(id, student: String(1000 + number), answer: "B")
            try await fixture.mark(id)
            ids.append(id)
        }
        return (fixture, ids, try await fixture.changeKey(to: "B").keyVersion)
    }

    private static func begin(_ fixture: StoreFixture, _ keyVersion: Int) async throws -> [SheetSummary] {
        try await fixture.store.beginRemarking(
            exam: fixture.examID, keyVersion: keyVersion, batchID: "remark:k\(keyVersion)",
            context: StoreFixture.context)
    }

    @Test("Each sheet that was read is listed once, and a second call lists what is left")
    func listing() async throws {
        let (fixture, ids, key) = try await Self.prepared(9)
        _ = try await fixture.upload("unread")
        let unmarked = try await fixture.upload("unmarked")
        try await fixture.read(unmarked, student: "2000")
        #expect(try await Self.begin(fixture, key).map(\.id) == ids + [unmarked])
        for id in ids.prefix(4) { try await fixture.mark(id) }
        #expect(try await Self.begin(fixture, key).map(\.id) == ids.dropFirst(4) + [unmarked])
        #expect(try await fixture.events(BatchStarted.self).map(\.total) == [10])
        #expect(try await fixture.count(BatchCompleted.self) == 0)
    }

    @Test("The last marks complete the batch exactly once, with 8 concurrent markers")
    func completion() async throws {
        let (fixture, ids, key) = try await Self.prepared(25)
        #expect(try await Self.begin(fixture, key).count == 25)
        try await concurrently(Array(0..<8)) { _ in
            for id in ids.shuffled() { try await fixture.mark(id) }
        }
        let completed = try await fixture.events(BatchCompleted.self)
        #expect(completed.map(\.total) == [25])
        #expect(completed.map(\.batchID) == ["remark:k\(key)"])
        #expect(try await fixture.count(GradingCompleted.self) == 50)
        let progress = try await fixture.events(BatchProgress.self)
        #expect(progress.allSatisfy { $0.done >= 1 && $0.done < 25 && $0.total == 25 })
        #expect(!progress.isEmpty)
        #expect(try await Self.begin(fixture, key).isEmpty)
        #expect(try await fixture.count(BatchStarted.self) == 1)
        #expect(try await fixture.count(BatchCompleted.self) == 1)
        #expect(try await fixture.sheets().allSatisfy { $0.score == 2 })
    }

    @Test("Sheets marked while the list is drawn up do not keep the batch open", arguments: 0..<12)
    func race(_ round: Int) async throws {
        let (fixture, ids, key) = try await Self.prepared(12)
        async let marking: Void = concurrently(ids) { id in try await fixture.mark(id) }
        async let listing = withThrowingTaskGroup(of: [SheetSummary].self) { group in
            for _ in 0..<2 { group.addTask { try await Self.begin(fixture, key) } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        try await marking
        for sheet in try await listing { try await fixture.mark(sheet.id) }
        // What a killed worker would do when its task runs again.
        for sheet in try await Self.begin(fixture, key) { try await fixture.mark(sheet.id) }
        #expect(try await fixture.count(BatchStarted.self) == 1)
        #expect(try await fixture.count(BatchCompleted.self) == 1)
        #expect(try await fixture.client.send(["EXISTS", fixture.place.remarkingRest]).int == 0)
        #expect(try await fixture.sheets().allSatisfy { $0.keyVersion == key && $0.score == 2 })
    }

    @Test("With nothing to mark the batch is complete at once")
    func nothing() async throws {
        let (fixture, _, key) = try await Self.prepared(0)
        _ = try await fixture.upload("unread")
        try await concurrently(Array(0..<4)) { _ in
            let rest = try await Self.begin(fixture, key)
            #expect(rest.isEmpty)
        }
        #expect(try await fixture.events(BatchStarted.self).map(\.total) == [0])
        #expect(try await fixture.events(BatchCompleted.self).map(\.total) == [0])
    }

    @Test("A newer key ends a batch that is not done, and its sheets are on the new list")
    func superseded() async throws {
        let (fixture, ids, old) = try await Self.prepared(6)
        #expect(try await Self.begin(fixture, old).count == 6)
        for id in ids.prefix(2) { try await fixture.mark(id) }
        let new = try await fixture.changeKey(to: "C").keyVersion
        // Marked by the new key before its list is drawn up.
        try await fixture.mark(ids[5])
        #expect(try await Self.begin(fixture, new).map(\.id) == Array(ids.prefix(5)))
        #expect(try await Self.begin(fixture, old).isEmpty)
        for id in ids { try await fixture.mark(id) }
        #expect(try await fixture.events(BatchFailed.self).map(\.batchID) == ["remark:k\(old)"])
        #expect(try await fixture.events(BatchCompleted.self).map(\.batchID) == ["remark:k\(new)"])
        #expect(try await fixture.events(BatchStarted.self).map(\.total) == [6, 5])
        #expect(try await Self.begin(fixture, new).isEmpty)
    }

    @Test("A page read while its sheet waits to be marked again does not open or close the batch twice")
    func pageWhileWaiting() async throws {
        let fixture = try await StoreFixture(pages: 2)
        let (first, second) = (try await fixture.upload("a"), try await fixture.upload("b"))
        try await fixture.read(first, page: 1, student: "0001")
        try await fixture.mark(first)
        let key = try await fixture.changeKey(to: "B").keyVersion
        #expect(try await Self.begin(fixture, key).map(\.id) == [first])
        try await fixture.read(second, page: 2, student: "0001", answer: "B")
        try await fixture.mark(first)
        #expect(try await fixture.count(BatchCompleted.self) == 1)
        #expect(try await fixture.sheet(first).score == 2)
        #expect(try await Self.begin(fixture, key).isEmpty)
    }
}
