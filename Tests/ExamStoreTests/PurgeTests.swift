import Domain
import EventBus
import Redis
import Testing

@testable import ExamStore

@Suite("Clearing a deleted exam away")
struct PurgeTests {
    /// An exam with sheets in every state, figures, a report and a re-marking under way; deleted.
    private static func deleted() async throws -> (StoreFixture, [SheetID]) {
        let fixture = try await StoreFixture(pages: 2)
        var ids: [SheetID] = []
        for number in 0..<12 {
            let id = try await fixture.upload("s\(number)-")
            ids.append(id)
            switch number % 6 {
            case 0: try await fixture.fail(id)
            case 1: break
            // Pages of one student, so every second of them is joined to the first.
            case 2: try await fixture.read(id, page: 1, student: String(1000 + number))
            case 3: try await fixture.read(id, page: 2, student: String(1000 + number - 1))
            default: try await fixture.read(id, page: 1, student: nil)
            }
            try await fixture.mark(id)
        }
        try await fixture.own("f1")
        for (index, event) in try await fixture.events(GradingCompleted.self).enumerated() {
            try await fixture.store.contribute(
                event, guardedBy: fixture.effectGuard(StreamPosition(milliseconds: UInt64(index + 1))),
                context: StoreFixture.context)
        }
        try await fixture.store.record(
            ReportRecord(blob: "b", bytes: 1), kind: .resultsCSV, id: "r", exam: fixture.examID,
            context: StoreFixture.context)
        let key = try await fixture.changeKey(to: "B").keyVersion
        _ = try await fixture.store.beginRemarking(
            exam: fixture.examID, keyVersion: key, batchID: "b", context: StoreFixture.context)
        try await fixture.store.delete(fixture.examID, context: StoreFixture.context)
        return (fixture, ids)
    }

    private static func expectNothingLeft(
        _ fixture: StoreFixture, _ location: SourceLocation = #_sourceLocation
    ) async throws {
        let left = try await fixture.keysOfExam().filter { !$0.hasSuffix(":applied") }
        #expect(left == [], sourceLocation: location)
    }

    @Test("Nothing is left of it, joined sheets, reports and re-markings included")
    func complete() async throws {
        let (fixture, _) = try await Self.deleted()
        #expect(try await fixture.keysOfExam().count > 12)
        try await fixture.store.purge(fixture.examID)
        try await Self.expectNothingLeft(fixture)
        try await fixture.store.purge(fixture.examID)
    }

    @Test("A killed call is taken up where it stopped", arguments: 1..<12)
    func resumed(_ done: Int) async throws {
        let (fixture, ids) = try await Self.deleted()
        // As after a kill between two commands: some sheets are gone, the last of them still listed.
        for (index, id) in ids.prefix(done).enumerated() {
            _ = try await fixture.client.send(["UNLINK", fixture.place.sheet(id)])
            if index < done - 1 {
                _ = try await fixture.client.send(["ZREM", fixture.place.sheets, id.rawValue])
                _ = try await fixture.client.send(["ZREM", fixture.place.joined, id.rawValue])
            }
        }
        try await concurrently([1, 2]) { _ in try await fixture.store.purge(fixture.examID) }
        try await Self.expectNothingLeft(fixture)
    }

    @Test("Late writers neither succeed nor leave anything behind")
    func lateWriters() async throws {
        let (fixture, ids) = try await Self.deleted()
        async let purge: Void = fixture.store.purge(fixture.examID)
        await withTaskGroup(of: Void.self) { group in
            for (index, id) in ids.enumerated() {
                group.addTask { _ = try? await fixture.read(id, page: index % 2 + 1, student: "7777") }
                group.addTask { _ = try? await fixture.fail(id) }
                group.addTask {
                    _ = try? await fixture.store.record(
                        [Mark(question: 1, score: 2, max: 2)], of: id, readingVersion: 1, keyVersion: 2,
                        context: StoreFixture.context)
                }
            }
            group.addTask { _ = try? await fixture.upload("late") }
            group.addTask {
                try? await fixture.store.record(
                    ReportRecord(blob: "c", bytes: 1), kind: .resultsCSV, id: "r2", exam: fixture.examID,
                    context: StoreFixture.context)
            }
        }
        try await purge
        try await Self.expectNothingLeft(fixture)
        #expect(try await fixture.store.sheet(ids[0]) == nil)
    }

    @Test("An exam that stands is not cleared away")
    func standing() async throws {
        let fixture = try await StoreFixture()
        let id = try await fixture.upload("a")
        try await fixture.store.purge(fixture.examID)
        #expect(try await fixture.store.sheet(id) != nil)
        try await fixture.expectConsistentLists()
    }

    @Test("A report is recorded and told once for each content")
    func reports() async throws {
        let fixture = try await StoreFixture()
        for blob: BlobID in ["a", "a", "b"] {
            try await concurrently([1, 2]) { _ in
                try await fixture.store.record(
                    ReportRecord(blob: blob, bytes: 1), kind: .resultsCSV, id: "r", exam: fixture.examID,
                    context: StoreFixture.context)
            }
        }
        #expect(try await fixture.events(ReportReady.self).map(\.blob) == ["a", "b"])
    }
}
