import Domain
import Testing

@testable import ExamStore

@Suite("Files of many pages")
struct UploadBatchTests {
    private static let file = BlobID(String(repeating: "7", count: 64))

    private static func pages(_ count: Int) -> [UploadedPage] {
        (1...count).map { UploadedPage(blob: file, file: "class.pdf", filePage: $0) }
    }

    /// Records the pages of a file as the gateway does.
    private static func upload(
        _ pages: [UploadedPage], to fixture: StoreFixture
    ) async throws -> (batchID: String, additions: [SheetAddition]) {
        let batchID = ExamStore.uploadBatchID(exam: fixture.examID, blob: file)
        let total = try await fixture.store.newSheets(among: pages, in: fixture.examID)
        if total > 0 {
            try await fixture.store.beginUpload(
                exam: fixture.examID, batchID: batchID, total: total, context: StoreFixture.context)
        }
        let additions = try await fixture.store.addSheets(
            pages, to: fixture.examID, batchID: batchID, context: StoreFixture.context)
        return (batchID, additions)
    }

    private static func finish(_ id: SheetID, _ number: Int, in fixture: StoreFixture) async throws {
        let sheet = try await fixture.read(id, student: String(1000 + number))
        try await fixture.mark(sheet)
    }

    @Test("Sheets come in the order of the pages, a page that stands twice is one sheet")
    func order() async throws {
        let fixture = try await StoreFixture()
        let pages = Self.pages(230)
        let (_, additions) = try await Self.upload(pages + [pages[3]], to: fixture)
        #expect(additions.count == 231)
        #expect(additions.prefix(230).allSatisfy(\.isNew) && additions.last?.isNew == false)
        #expect(additions.last?.sheetID == additions[3].sheetID)
        #expect(try await fixture.sheets(.uploaded).map(\.id) == additions.prefix(230).map(\.sheetID))
        #expect(try await fixture.count(SheetUploaded.self) == 230)
        #expect(try await fixture.events(BatchStarted.self).map(\.total) == [230])
        #expect(try await fixture.events(BatchStarted.self).map(\.kind) == ["upload"])
    }

    @Test("Each page counts once when it is marked or fails, and the last completes the file, with 8 at work")
    func completion() async throws {
        let fixture = try await StoreFixture()
        let (batchID, additions) = try await Self.upload(Self.pages(40), to: fixture)
        try await concurrently(Array(0..<8)) { worker in
            for (number, addition) in additions.enumerated().shuffled() where number != 0 {
                if number == 20 {
                    try await fixture.fail(addition.sheetID)
                } else {
                    try await Self.finish(addition.sheetID, number, in: fixture)
                }
            }
        }
        #expect(try await fixture.count(BatchCompleted.self) == 0)
        let progress = try await fixture.events(BatchProgress.self)
        #expect(!progress.isEmpty && progress.allSatisfy { $0.total == 40 && $0.batchID == batchID })
        #expect(
            progress.map(\.done) == progress.map(\.done).sorted() && Set(progress.map(\.done)).count == progress.count)
        try await Self.finish(additions[0].sheetID, 0, in: fixture)
        #expect(try await fixture.events(BatchCompleted.self).map(\.batchID) == [batchID])
        // Marked again by another key, nothing counts again.
        try await fixture.changeKey(to: "B")
        for addition in additions.prefix(5) { try await fixture.mark(addition.sheetID) }
        #expect(try await fixture.count(BatchCompleted.self) == 1)
    }

    @Test("Every step is told when one works alone")
    func steps() async throws {
        let fixture = try await StoreFixture()
        let (_, additions) = try await Self.upload(Self.pages(12), to: fixture)
        for (number, addition) in additions.enumerated() {
            try await Self.finish(addition.sheetID, number, in: fixture)
        }
        #expect(try await fixture.events(BatchProgress.self).map(\.done) == Array(1...11))
        #expect(try await fixture.events(BatchCompleted.self).map(\.total) == [12])
    }

    @Test("Pages that are joined to one sheet count when that is marked")
    func joined() async throws {
        let fixture = try await StoreFixture(pages: 2)
        let (_, additions) = try await Self.upload(Self.pages(4), to: fixture)
        for student in 0..<2 {
            let first = try await fixture.read(additions[student * 2].sheetID, page: 1, student: "100\(student)")
            let second = try await fixture.read(additions[student * 2 + 1].sheetID, page: 2, student: "100\(student)")
            #expect(first == second)
            #expect(try await fixture.count(BatchCompleted.self) == 0)
            try await fixture.mark(first)
        }
        #expect(try await fixture.events(BatchProgress.self).map(\.done) == [2])
        #expect(try await fixture.events(BatchCompleted.self).map(\.total) == [4])
    }

    @Test("An upload that was interrupted goes on with the same count, and the same file again changes nothing")
    func repeated() async throws {
        let fixture = try await StoreFixture()
        let pages = Self.pages(6)
        let batchID = ExamStore.uploadBatchID(exam: fixture.examID, blob: Self.file)
        try await fixture.store.beginUpload(
            exam: fixture.examID, batchID: batchID, total: 6, context: StoreFixture.context)
        _ = try await fixture.store.addSheets(
            Array(pages.prefix(2)), to: fixture.examID, batchID: batchID, context: StoreFixture.context)
        let (_, additions) = try await Self.upload(pages, to: fixture)
        #expect(additions.map(\.isNew) == [false, false, true, true, true, true])
        for (number, addition) in additions.enumerated() {
            try await Self.finish(addition.sheetID, number, in: fixture)
        }
        _ = try await Self.upload(pages, to: fixture)
        #expect(try await fixture.events(BatchStarted.self).map(\.total) == [6])
        #expect(try await fixture.events(BatchCompleted.self).map(\.total) == [6])
        #expect(try await fixture.store.isUploadKnown(exam: fixture.examID, batchID: batchID))
    }
}
