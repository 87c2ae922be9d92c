import Access
import Domain
import ExamStore
import Foundation
import ServiceKit
import Testing

@testable import Gateway

/// Every route about an exam, for everybody who may come: what each is answered.
@Suite(.timeLimit(.minutes(5))) struct PermissionTests {
    /// Who comes, by what it has to do with the exam.
    enum Visitor: CaseIterable {
        case admin, service, owner, editor, reader, stranger, marker, otherMarker, student, otherStudent

        var user: UserID {
            switch self {
            case .admin: "root"
            case .service: "robot"
            case .owner: "zhang"
            case .editor: "li"
            case .reader: "wang"
            case .stranger: "zhao"
            case .marker: "marker"
            // Shared with, but a marker all the same: the role decides what a share is worth.
            case .otherMarker: "wang"
            case .student, .otherStudent: "pupil"
            }
        }

        var role: Role {
            switch self {
            case .admin: .admin
            case .service: .service
            case .owner, .editor, .reader, .stranger: .teacher
            case .marker, .otherMarker: .marker
            case .student, .otherStudent: .student
            }
        }

        var studentID: String? {
            switch self {
            case .student: "123456"
            case .otherStudent: "654321"
            default: nil
            }
        }
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let method: String
        let path: String
        var body: String?
        /// In the order of `Visitor`.
        let statuses: [Int]

        var testDescription: String { "\(method) \(path)" }

        init(_ method: String, _ path: String, _ body: String? = nil, _ statuses: [Int]) {
            self.method = method
            self.path = path
            self.body = body
            self.statuses = statuses
        }
    }

    private static let exam = RunningGateway.examJSON

    //                                                  admin serv owner edit read strng mark  mark' stud  stud'
    static let rows: [Row] = [
        Row("GET", "/api/exams/E", nil, [200, 200, 200, 200, 200, 404, 200, 404, 403, 403]),
        Row("PUT", "/api/exams/E", exam, [200, 200, 200, 200, 403, 404, 403, 403, 403, 403]),
        Row("PATCH", "/api/exams/E", #"{"title":"t"}"#, [200, 200, 200, 200, 403, 404, 403, 403, 403, 403]),
        Row("DELETE", "/api/exams/E", nil, [204, 204, 204, 403, 403, 404, 403, 403, 403, 403]),
        Row("GET", "/api/exams/E/layout", nil, [200, 200, 200, 200, 200, 404, 403, 403, 403, 403]),
        Row("GET", "/api/exams/E/statistics", nil, [200, 200, 200, 200, 200, 404, 403, 403, 403, 403]),
        Row("GET", "/api/exams/E/results.csv", nil, [200, 200, 200, 200, 200, 404, 403, 403, 403, 403]),
        Row("GET", "/api/exams/E/report.pdf", nil, [200, 200, 200, 200, 200, 404, 403, 403, 403, 403]),
        Row("GET", "/api/exams/E/quality", nil, [200, 200, 200, 200, 200, 404, 403, 403, 403, 403]),
        Row("GET", "/api/exams/E/sheets", nil, [200, 200, 200, 200, 200, 404, 403, 403, 403, 403]),
        Row("GET", "/api/events?exam_id=E", nil, [200, 200, 200, 200, 200, 404, 403, 403, 403, 403]),
        Row("GET", "/api/sheets/S", nil, [200, 200, 200, 200, 200, 404, 403, 403, 403, 403]),
        Row("GET", "/api/sheets/S/marks", nil, [200, 200, 200, 200, 200, 404, 200, 404, 403, 403]),
        Row("GET", "/api/sheets/S/image", nil, [404, 404, 404, 404, 404, 404, 403, 403, 403, 403]),
        Row("GET", "/api/exams/E/shares", nil, [200, 200, 200, 403, 403, 404, 403, 403, 403, 403]),
        Row(
            "PUT", "/api/exams/E/shares/new", #"{"access":"read"}"#,
            [200, 200, 200, 403, 403, 404, 403, 403, 403, 403]),
        Row("DELETE", "/api/exams/E/shares/li", nil, [204, 204, 204, 403, 403, 404, 403, 403, 403, 403]),
        Row("GET", "/api/exams/E/markers", nil, [200, 200, 200, 200, 200, 404, 403, 403, 403, 403]),
        Row(
            "PUT", "/api/exams/E/markers/new", #"{"questions":[1]}"#,
            [200, 200, 200, 200, 403, 404, 403, 403, 403, 403]),
        Row("DELETE", "/api/exams/E/markers/marker", nil, [204, 204, 204, 204, 403, 404, 403, 403, 403, 403]),
        Row("POST", "/api/exams/E/publish", nil, [200, 200, 200, 200, 403, 404, 403, 403, 403, 403]),
        Row("POST", "/api/exams/E/unpublish", nil, [200, 200, 200, 200, 403, 404, 403, 403, 403, 403]),
        Row("GET", "/api/exams/E/results/mine", nil, [403, 403, 403, 403, 403, 403, 403, 403, 200, 404]),
        Row("GET", "/api/exams/U/results/mine", nil, [403, 403, 403, 403, 403, 403, 403, 403, 404, 404]),
        Row("GET", "/api/results", nil, [403, 403, 403, 403, 403, 403, 403, 403, 200, 200]),
        Row("POST", "/api/reviews/next", #"{"exam_id":"E"}"#, [200, 200, 200, 200, 403, 404, 200, 404, 403, 403]),
        Row("POST", "/api/reviews/next", "{}", [200, 200, 200, 200, 204, 204, 200, 204, 403, 403]),
        Row("GET", "/api/reviews?exam_id=E", nil, [200, 200, 200, 200, 200, 404, 200, 404, 403, 403]),
        Row("GET", "/api/reviews/S.q2", nil, [200, 200, 200, 200, 200, 404, 200, 404, 403, 403]),
        Row("GET", "/api/reviews/S.q1", nil, [404, 404, 404, 404, 404, 404, 403, 404, 403, 403]),
        Row("GET", "/api/reviews/S.student_id", nil, [404, 404, 404, 404, 404, 404, 403, 404, 403, 403]),
        Row("GET", "/api/reviews/S.q2/image", nil, [404, 404, 404, 404, 404, 404, 404, 404, 403, 403]),
        Row("GET", "/api/reviews/S.q1/image", nil, [404, 404, 404, 404, 404, 404, 403, 404, 403, 403]),
        Row("POST", "/api/reviews/S.q2/lease", nil, [200, 200, 200, 200, 403, 404, 200, 404, 403, 403]),
        Row("POST", "/api/reviews/S.q2/release", nil, [204, 204, 204, 204, 403, 404, 204, 404, 403, 403]),
        Row(
            "POST", "/api/reviews/S.q2/assign", #"{"user":"marker"}"#,
            [200, 200, 200, 200, 403, 404, 403, 403, 403, 403]),
        Row(
            "POST", "/api/reviews/S.q2/submit", #"{"fence":1,"score":1}"#,
            [409, 409, 409, 409, 403, 404, 409, 404, 403, 403]),
        // Nothing that there is not is told from what one may not know of.
        Row("GET", "/api/exams/nothing", nil, [404, 404, 404, 404, 404, 404, 404, 404, 403, 403]),
        Row("GET", "/api/sheets/nothing.1", nil, [404, 404, 404, 404, 404, 404, 403, 403, 403, 403]),
        Row("GET", "/api/sheets/E.none/marks", nil, [404, 404, 404, 404, 404, 404, 404, 404, 403, 403]),
    ]

    @Test(arguments: rows) func `everybody is answered as they have to do with the exam`(row: Row) async throws {
        try #require(row.statuses.count == Visitor.allCases.count)
        try await RunningGateway.run { gateway in
            // Ends with this scope.
            async let _: Void = gateway.makeReports()
            for (visitor, status) in zip(Visitor.allCases, row.statuses) {
                // Anew for everybody: what one changes is not there for the next.
                let flag: MarkFlag? = row.path.contains("/reviews") ? .multiple : nil
                let place = try await ExamSite(gateway, student: "123456", isPublished: true, flag: flag)
                var path = row.path.replacing("/E", with: "/\(place.exam)").replacing("=E", with: "=\(place.exam)")
                path = path.replacing("/S", with: "/\(place.sheet)")
                if row.path.contains("/U") {
                    let unpublished = try await ExamSite(gateway, student: "123456", isPublished: false)
                    path = path.replacing("/U", with: "/\(unpublished.exam)")
                }
                let token = try await gateway.token(visitor.user, visitor.role, studentID: visitor.studentID)
                let answer =
                    if let body = row.body?.replacing("\"E\"", with: "\"\(place.exam)\"") {
                        try await gateway.send(row.method, path, json: body, token: token)
                    } else {
                        try await gateway.send(row.method, path, token: token)
                    }
                #expect(answer.status == status, "\(visitor): \(answer.text.prefix(300))")
                if status == 403 || status == 404 { #expect(answer.problem != nil, "\(visitor)") }
            }
        }
    }

    @Test func `who may not know of an exam is told the same as where there is none`() async throws {
        try await RunningGateway.run { gateway in
            let place = try await ExamSite(gateway, student: "1", isPublished: true)
            let stranger = try await gateway.token("zhao", .teacher)
            for (hidden, missing, name) in [
                ("/api/exams/\(place.exam)", "/api/exams/nothing", "\(place.exam)"),
                ("/api/sheets/\(place.sheet)", "/api/sheets/nothing.1", "\(place.sheet)"),
            ] {
                let first = try await gateway.send("GET", hidden, token: stranger)
                let second = try await gateway.send("GET", missing, token: stranger)
                #expect(first.problem == second.problem)
                let detail = (first.json["detail"] as? String)?.replacing(name, with: "X")
                let other = (second.json["detail"] as? String)?.replacing("nothing.1", with: "X")
                    .replacing("nothing", with: "X")
                #expect(detail == other)
            }
        }
    }

    @Test func `a marker sees the questions assigned to it, of exams and of marks, and no student`() async throws {
        try await RunningGateway.run { gateway in
            let place = try await ExamSite(gateway, student: "123456", isPublished: false)
            let marker = try await gateway.token("marker", .marker)
            let exam = try await gateway.send("GET", "/api/exams/\(place.exam)", token: marker)
            let questions = exam.json["questions"] as? [[String: Any]] ?? []
            #expect(questions.compactMap { $0["number"] as? Int } == [2])
            #expect(!exam.text.contains("grants"))
            let list = try await gateway.send("GET", "/api/exams", token: marker)
            #expect(list.items.compactMap { $0["id"] as? String } == [place.exam.rawValue])
            let marks = try await gateway.send("GET", "/api/sheets/\(place.sheet)/marks", token: marker)
            #expect(marks.items.compactMap { $0["question"] as? Int } == [2])
            #expect(!marks.text.contains("123456"))
            _ = try await gateway.send("DELETE", "/api/exams/\(place.exam)/markers/marker")
            #expect(try await gateway.send("GET", "/api/exams/\(place.exam)", token: marker).status == 404)
            #expect(try await gateway.send("GET", "/api/exams", token: marker).items.isEmpty)
        }
    }

    @Test func `a teacher finds the exams shared with it in its list, until they are not any more`() async throws {
        try await RunningGateway.run { gateway in
            let place = try await ExamSite(gateway, student: "1", isPublished: false)
            let reader = try await gateway.token("wang", .teacher)
            #expect(try await gateway.send("GET", "/api/exams", token: reader).items.count == 1)
            let shares = try await gateway.send("GET", "/api/exams/\(place.exam)/shares")
            #expect(shares.items.compactMap { $0["user"] as? String } == ["li", "wang"])
            #expect(shares.items.compactMap { $0["access"] as? String } == ["edit", "read"])
            _ = try await gateway.send("DELETE", "/api/exams/\(place.exam)/shares/wang")
            #expect(try await gateway.send("GET", "/api/exams", token: reader).items.isEmpty)
            #expect(try await gateway.send("GET", "/api/exams/\(place.exam)", token: reader).status == 404)

            for (path, body, problem) in [
                ("shares/zhang", #"{"access":"read"}"#, "invalid-share"),
                ("shares/a%20b", #"{"access":"read"}"#, "invalid-user"),
                ("shares/li", #"{"access":"own"}"#, "invalid-json"),
                ("markers/m", #"{"questions":[]}"#, "invalid-assignment"),
                ("markers/m", #"{"questions":[1,9]}"#, "invalid-assignment"),
            ] {
                let answer = try await gateway.send("PUT", "/api/exams/\(place.exam)/\(path)", json: body)
                #expect(answer.problem == problem, "\(path) \(answer.text)")
            }
        }
    }

    @Test func `a student sees its own results of published exams, without a score while somebody looks at them`()
        async throws
    {
        try await RunningGateway.run { gateway in
            let published = try await ExamSite(gateway, student: "123456", isPublished: true)
            let doubtful = try await ExamSite(gateway, student: "123456", isPublished: true, flag: .multiple)
            _ = try await ExamSite(gateway, student: "123456", isPublished: false)
            _ = try await ExamSite(gateway, student: "654321", isPublished: true)
            let token = try await gateway.token("pupil", .student, studentID: "123456")
            let list = try await gateway.send("GET", "/api/results", token: token)
            #expect(list.items.compactMap { $0["exam_id"] as? String } == [doubtful, published].map(\.exam.rawValue))
            #expect(list.items.compactMap { $0["status"] as? String } == ["pending", "graded"])
            #expect(list.items[0]["score"] is NSNull)
            #expect(list.items[1]["score"] as? Double == 5)
            #expect(list.json["next_cursor"] is NSNull)

            let mine = try await gateway.send("GET", "/api/exams/\(published.exam)/results/mine", token: token)
            #expect(mine.json["score"] as? Double == 5)
            #expect(mine.json["student_id"] as? String == "123456")
            let questions = mine.json["questions"] as? [[String: Any]] ?? []
            #expect(questions.compactMap { $0["score"] as? Double } == [2, 3, 0])
            #expect(!mine.text.contains("answer"))
            let pending = try await gateway.send("GET", "/api/exams/\(doubtful.exam)/results/mine", token: token)
            #expect((pending.json["questions"] as? [Any])?.isEmpty == true)

            _ = try await gateway.send("POST", "/api/exams/\(published.exam)/unpublish")
            #expect(
                try await gateway.send("GET", "/api/exams/\(published.exam)/results/mine", token: token).status == 404)
            #expect(try await gateway.send("GET", "/api/results", token: token).items.count == 1)
            let nobody = try await gateway.token("pupil", .student)
            #expect(try await gateway.send("GET", "/api/results", token: nobody).problem == "no-student-number")
        }
    }

    @Test func `sharing, assigning and publishing are events and entries of the audit log`() async throws {
        try await RunningGateway.run { gateway in
            let place = try await ExamSite(gateway, student: "1", isPublished: false)
            let first = try await gateway.send("POST", "/api/exams/\(place.exam)/publish")
            #expect(first.json["published_at"] is String)
            let second = try await gateway.send("POST", "/api/exams/\(place.exam)/publish")
            #expect(second.json["published_at"] as? String == first.json["published_at"] as? String)
            #expect(second.json["version"] as? Int == first.json["version"] as? Int)
            _ = try await gateway.send("POST", "/api/exams/\(place.exam)/unpublish")
            let audit = try await gateway.send(
                "GET", "/api/audit?exam_id=\(place.exam)&order=oldest", token: try await gateway.token("root", .admin))
            #expect(
                audit.items.compactMap { $0["action"] as? String }.filter { $0 != "exam.created" } == [
                    "exam.shared", "exam.shared", "exam.markers_assigned", "exam.published", "exam.unpublished",
                ])
            let events = try await gateway.send("GET", "/api/events?exam_id=\(place.exam)&type=exam.updated")
            #expect(events.items.count == 5)
        }
    }
}

/// An exam of `zhang` with a marked sheet, which others have to do with.
struct ExamSite {
    let exam: ExamID
    let sheet: SheetID

    init(
        _ gateway: RunningGateway, student: String, isPublished: Bool, flag: MarkFlag? = nil
    ) async throws {
        exam = ExamID(try await gateway.createExam())
        let store = gateway.context.store
        let context = EventContext(source: "/test", correlationID: "chain", actor: "zhang")
        sheet = try await store.addSheet(
            exam: exam, blob: BlobID(String(repeating: "0", count: 64)), file: "a.png", filePage: 1, context: context
        ).sheetID
        let fields = ["student_id": FieldReading(value: student, confidence: 1)]
        _ = try await store.record(
            PageReading(page: 1, codedStudent: student, fields: fields, milliseconds: 1), of: sheet, context: context)
        let marks = [
            Mark(question: 1, score: 2, max: 2), Mark(question: 2, score: 3, max: 3, flags: flag.map { [$0] } ?? []),
            Mark(question: 3, score: 0, max: 5),
        ]
        _ = try await store.record(marks, of: sheet, readingVersion: 1, keyVersion: 1, context: context)
        _ = try await store.share(exam, with: "li", .edit, context: context)
        _ = try await store.share(exam, with: "wang", .read, context: context)
        _ = try await store.assign([2], of: exam, to: "marker", context: context)
        if isPublished { _ = try await store.setPublished(true, exam, context: context) }
    }
}
