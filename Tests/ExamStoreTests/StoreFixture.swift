import Domain
import Logging
import Redis
import TestSupport
import Testing

@testable import EventBus
@testable import ExamStore

/// One exam in a store of its own, on a Redis server that all tests share.
struct StoreFixture: Sendable {
    static let server = Result { try RedisServer() }
    static let context = EventContext(source: "/test", correlationID: "chain", actor: "clerk")

    let client: RedisClient
    let keys: RedisKeys
    let bus: EventBus
    let store: ExamStore
    let examID: ExamID
    let pages: Int

    /// - Parameter pages: of a sheet; each has one question worth 2 points, answered `A`.
    init(pages: Int = 1, server: RedisServer? = nil) async throws {
        client = try RedisClient(
            configuration: RedisConfiguration(url: (server ?? Self.server.get()).url),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        keys = RedisKeys(prefix: "t\(UInt64.random(in: 0...(.max)))")
        var configuration = EventBusConfiguration()
        configuration.partitions = 4
        bus = EventBus(client: client, keys: keys, configuration: configuration, source: "/test")
        store = ExamStore(client: client, keys: keys, partitions: configuration.partitions)
        examID = ExamID.make()
        self.pages = pages
        try await store.create(Self.exam(examID, pages: pages), layout: Self.layout(pages), context: Self.context)
    }

    var place: ExamPlace { store.place(of: examID) }

    // MARK: Exams

    static func draft(pages: Int, key: String = "A", points: Double = 2) -> ExamDraft {
        ExamDraft(
            title: "Mid-term", subject: "", studentIDDigits: 4,
            questions: (1...pages).map {
                Question(number: $0, kind: .singleChoice, points: points, options: 4, answer: key)
            })
    }

    static func exam(_ id: ExamID, pages: Int, owner: UserID = "li", at time: Timestamp = .now) -> Exam {
        Exam(
            id: id, draft: draft(pages: pages), owner: owner, createdAt: time, updatedAt: time, version: 1,
            keyVersion: 1)
    }

    static func layout(_ pages: Int) -> SheetLayout {
        SheetLayout(
            pages: (1...pages).map {
                LayoutPage(number: $0, width: 210, height: 297, cornerMarks: [], code: nil, fields: [])
            })
    }

    @discardableResult
    func changeKey(to key: String, points: Double = 2) async throws -> Exam {
        try await update(Self.draft(pages: pages, key: key, points: points))
    }

    @discardableResult
    func update(_ draft: ExamDraft, expecting version: Int? = nil) async throws -> Exam {
        try await store.update(examID, draft: draft, expectedVersion: version, context: Self.context) { exam in
            Self.layout(exam.questions.count)
        }
    }

    // MARK: Sheets

    func upload(_ name: String) async throws -> SheetID {
        let blob = BlobID((name + String(repeating: "0", count: 64)).prefix(64).description)
        return try await store.addSheet(
            exam: examID, blob: blob, file: "\(name).png", filePage: 1, context: Self.context
        ).sheetID
    }

    /// A page whose question is answered `answer`.
    static func reading(
        page: Int = 1, student: String?, answer: String = "A", flags: [FieldFlag] = [], coded: String? = nil
    ) -> PageReading {
        var fields = ["q\(page)": FieldReading(value: answer, confidence: 1, flags: flags)]
        fields["student_id"] =
            student.map { FieldReading(value: $0, confidence: 1) }
            ?? FieldReading(value: "12?4", confidence: 0.4, flags: [.uncertain])
        return PageReading(page: page, codedStudent: coded, fields: fields, milliseconds: 50)
    }

    @discardableResult
    func read(
        _ id: SheetID, page: Int = 1, student: String?, answer: String = "A", flags: [FieldFlag] = []
    ) async throws -> SheetID {
        try await store.record(
            Self.reading(page: page, student: student, answer: answer, flags: flags), of: id, context: Self.context)
    }

    func fail(_ id: SheetID, _ code: ReadingFailure.Code = .damagedImage) async throws {
        try await store.record(ReadingFailure(code, "cut short"), of: id, context: Self.context)
    }

    static func marks(of sheet: Sheet, by exam: Exam) -> [Mark] {
        exam.questions.map { question in
            guard let field = sheet.fields[question.fieldName] else {
                return Mark(question: question.number, score: nil, max: question.points, flags: [.missingPage])
            }
            return Mark(
                question: question.number, score: field.value == question.answer ? question.points : 0,
                max: question.points, flags: field.flags.map(MarkFlag.init))
        }
    }

    /// Marks a sheet as a worker would: as it is read and by the key there is.
    @discardableResult
    func mark(_ id: SheetID) async throws -> Bool {
        let exam = try #require(try await store.exam(examID))
        let sheet = try await sheet(id)
        return try await store.record(
            Self.marks(of: sheet, by: exam), of: id, readingVersion: sheet.readingVersion, keyVersion: exam.keyVersion,
            context: Self.context)
    }

    func sheet(_ id: SheetID) async throws -> Sheet {
        try #require(try await store.sheet(id))
    }

    /// All sheets that stand on their own.
    func sheets(_ status: SheetStatus? = nil) async throws -> [SheetSummary] {
        var all: [SheetSummary] = []
        var cursor: String?
        repeat {
            let page = try await store.sheets(exam: examID, status: status, cursor: cursor, limit: 7)
            all += page.items
            cursor = page.nextCursor
        } while cursor != nil
        return all
    }

    // MARK: What must hold

    func events() async throws -> [StoredEvent] {
        try await bus.history(EventQuery(filter: EventFilter(examID: examID), limit: 10_000)).events
    }

    func events<Payload: EventPayload>(_ type: Payload.Type) async throws -> [Payload] {
        try await events().filter { $0.event.type == type.type }.map { try $0.event.decode(type) }
    }

    func count<Payload: EventPayload>(_ type: Payload.Type) async throws -> Int {
        try await events(type).count
    }

    /// Every sheet is in the list of its status and in no other, in order of upload, and its summary is its own.
    func expectConsistentLists(_ location: SourceLocation = #_sourceLocation) async throws {
        let all = try await sheets()
        #expect(Set(all.map(\.id)).count == all.count, sourceLocation: location)
        var listed = 0
        for status in SheetStatus.allCases {
            let part = try await sheets(status)
            #expect(part == all.filter { $0.status == status }, "\(status)", sourceLocation: location)
            #expect(try await store.sheetCounts(exam: examID)[status] == part.count, sourceLocation: location)
            listed += part.count
        }
        #expect(listed == all.count, sourceLocation: location)
        for summary in all {
            let sheet = try await sheet(summary.id)
            #expect(SheetSummary(sheet) == summary, sourceLocation: location)
            #expect(sheet.joinedTo == nil, sourceLocation: location)
        }
    }

    // MARK: Guards

    /// Makes `fence` the owner of the exam's partition for a group.
    func own(_ fence: String, group: String = "g") async throws {
        _ = try await client.send(["SET", keys.owner(place.partition, group: group), fence])
    }

    func effectGuard(_ position: StreamPosition, fence: String = "f1", group: String = "g") -> EffectGuard {
        EffectGuard(
            ownerKey: keys.owner(place.partition, group: group),
            appliedKey: keys.record(place.partition, "exam:\(examID):applied"),
            fence: fence, field: "\(group)/handler", position: position)
    }

    /// The names of all keys that have to do with the exam.
    func keysOfExam() async throws -> [String] {
        let reply = try await client.send(["KEYS", "\(keys.prefix)*\(examID)*"])
        return (reply.array ?? []).compactMap(\.string).sorted()
    }
}

/// Runs `body` for each element, all at once.
func concurrently<Element: Sendable>(
    _ elements: [Element], _ body: @escaping @Sendable (Element) async throws -> Void
) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for element in elements {
            group.addTask { try await body(element) }
        }
        try await group.waitForAll()
    }
}
