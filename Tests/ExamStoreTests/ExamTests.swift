import Domain
import EventBus
import Testing

@testable import ExamStore

@Suite("Exams")
struct ExamTests {
    @Test("A created exam is found with its layout, told once, and cannot be created again")
    func create() async throws {
        let fixture = try await StoreFixture(pages: 2)
        let exam = try #require(try await fixture.store.exam(fixture.examID))
        #expect(exam.draft == StoreFixture.draft(pages: 2))
        #expect(try await fixture.store.layout(of: exam.id) == StoreFixture.layout(2))
        let error = await #expect(throws: ExamStoreError.self) {
            try await fixture.store.create(exam, layout: StoreFixture.layout(1), context: StoreFixture.context)
        }
        #expect(error?.code == .versionMismatch)
        let events = try await fixture.events()
        #expect(events.map(\.event.type) == [ExamCreated.type])
        #expect(try events[0].event.decode(ExamCreated.self).maxScore == 4)
        #expect(events[0].event.correlationID == "chain")
        #expect(events[0].event.actor == "clerk")
        for id: ExamID in ["unknown", "", "a:b", "{x}"] {
            #expect(try await fixture.store.exam(id) == nil)
        }
    }

    @Test("A change raises the version, and the version of the key only when the key changes")
    func versions() async throws {
        let fixture = try await StoreFixture()
        var draft = StoreFixture.draft(pages: 1)
        let same = try await fixture.update(draft)
        #expect(same.version == 1)
        draft.title = "Final"
        let titled = try await fixture.update(draft, expecting: 1)
        #expect((titled.version, titled.keyVersion) == (2, 1))
        draft.questions[0].answer = "C"
        let keyed = try await fixture.update(draft, expecting: 2)
        #expect((keyed.version, keyed.keyVersion) == (3, 3))
        let error = await #expect(throws: ExamStoreError.self) { try await fixture.update(draft, expecting: 2) }
        #expect(error?.code == .versionMismatch)
        let events = try await fixture.events(ExamUpdated.self)
        #expect(events.map(\.keyChanged) == [false, true])
        #expect(events.map(\.version) == [2, 3])
        #expect(try await fixture.store.exam(fixture.examID) == keyed)
    }

    @Test("The layout may change until the first sheet is uploaded, the key also afterwards")
    func layoutFixed() async throws {
        let fixture = try await StoreFixture(pages: 1)
        try await fixture.update(StoreFixture.draft(pages: 2))
        #expect(try await fixture.store.layout(of: fixture.examID) == StoreFixture.layout(2))
        _ = try await fixture.upload("a")
        let error = await #expect(throws: ExamStoreError.self) {
            try await fixture.update(StoreFixture.draft(pages: 3))
        }
        #expect(error?.code == .layoutFixed)
        var wider = StoreFixture.draft(pages: 2)
        wider.studentIDDigits = 5
        await #expect(throws: ExamStoreError.self) { try await fixture.update(wider) }
        let exam = try await fixture.update(StoreFixture.draft(pages: 2, key: "D", points: 3))
        #expect(exam.keyVersion == exam.version)
        #expect(try await fixture.store.layout(of: fixture.examID) == StoreFixture.layout(2))
    }

    @Test("Of concurrent changes each has a version of its own, an event of its own, and none is lost")
    func concurrentChanges() async throws {
        let fixture = try await StoreFixture()
        try await concurrently(Array(1...16)) { number in
            var draft = StoreFixture.draft(pages: 1)
            draft.title = "Title \(number)"
            try await fixture.update(draft)
        }
        let events = try await fixture.events(ExamUpdated.self)
        #expect(events.map(\.version) == Array(2...17))
        #expect(try await fixture.store.exam(fixture.examID)?.version == 17)
    }

    @Test("Of concurrent changes of the same version exactly one succeeds")
    func oneWinner() async throws {
        let fixture = try await StoreFixture()
        let winners = await withTaskGroup(of: Bool.self) { group in
            for number in 1...16 {
                group.addTask {
                    var draft = StoreFixture.draft(pages: 1)
                    draft.title = "Title \(number)"
                    return (try? await fixture.update(draft, expecting: 1)) != nil
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(winners == 1)
        #expect(try await fixture.count(ExamUpdated.self) == 1)
    }

    @Test("A deleted exam is gone for everybody at once, and its deletion is told once")
    func delete() async throws {
        let fixture = try await StoreFixture()
        let id = try await fixture.upload("a")
        try await fixture.store.delete(fixture.examID, context: StoreFixture.context)
        #expect(try await fixture.store.exam(fixture.examID) == nil)
        #expect(try await fixture.store.exams(of: nil, cursor: nil, limit: 10).items.isEmpty)
        #expect(try await fixture.store.exams(of: "li", cursor: nil, limit: 10).items.isEmpty)
        let error = await #expect(throws: ExamStoreError.self) {
            try await fixture.store.delete(fixture.examID, context: StoreFixture.context)
        }
        #expect(error?.code == .notFound)
        await #expect(throws: ExamStoreError.self) { try await fixture.upload("b") }
        await #expect(throws: ExamStoreError.self) { try await fixture.read(id, student: "0001") }
        #expect(try await fixture.count(ExamDeleted.self) == 1)
    }

    @Test("The list of exams has all of them, the newest first, page by page, also those of one millisecond")
    func list() async throws {
        let fixture = try await StoreFixture()
        var expected: [ExamID] = []
        for number in 0..<23 {
            let time = Timestamp(milliseconds: Int64(1000 + number / 4))
            let exam = StoreFixture.exam(.make(), pages: 1, owner: number.isMultiple(of: 2) ? "wang" : "zhao", at: time)
            try await fixture.store.create(exam, layout: StoreFixture.layout(1), context: StoreFixture.context)
            expected.append(exam.id)
        }
        func all(_ owner: UserID?, limit: Int) async throws -> [Exam] {
            var found: [Exam] = []
            var cursor: String?
            repeat {
                let page = try await fixture.store.exams(of: owner, cursor: cursor, limit: limit)
                #expect(page.items.count <= limit)
                found += page.items
                cursor = page.nextCursor
            } while cursor != nil
            return found
        }
        let everybody = try await all(nil, limit: 5)
        #expect(everybody.count == 24)
        #expect(Set(everybody.map(\.id)) == Set(expected + [fixture.examID]))
        #expect(everybody.map(\.createdAt) == everybody.map(\.createdAt).sorted(by: >))
        #expect(try await all("wang", limit: 1).count == 12)
        #expect(try await all("zhao", limit: 200).count == 11)
        #expect(try await all("nobody", limit: 5).isEmpty)
    }
}
