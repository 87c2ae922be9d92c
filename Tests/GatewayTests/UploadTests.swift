import AsyncHTTPClient
import BlobStore
import Domain
import Foundation
import NIOCore
import ServiceKit
import TaskQueue
import Testing

@testable import Gateway

@Suite struct UploadTests {
    @Test func `an uploaded page becomes a sheet, an event and a task, all with one correlation`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            let page = RunningGateway.png(1, bytes: 700_000)
            let answer = try await gateway.upload(
                exam, [("扫描 1.png", page)], headers: ["X-Correlation-ID": "chain-7", "X-Request-ID": "r-1"])
            #expect(answer.status == 202, "\(answer.text)")
            #expect(answer.json["correlation_id"] as? String == "chain-7")
            #expect(answer.headers["x-correlation-id"] == "chain-7")
            #expect(answer.headers["x-request-id"] == "r-1")
            let sheet = try #require((answer.json["sheets"] as? [[String: Any]])?.first)
            let id = try #require(sheet["id"] as? String)
            #expect(sheet["file"] as? String == "扫描 1.png")
            #expect(sheet["page"] as? Int == 1)
            #expect(sheet["duplicate"] as? Bool == false)

            let task = try #require(sheet["task_id"] as? String)
            let admin = try await gateway.token("root", .admin)
            let shown = try await gateway.send("GET", "/api/tasks/\(task)", token: admin)
            #expect(shown.json["state"] as? String == "ready")
            #expect(shown.json["type"] as? String == "ocr_processing")
            #expect(shown.json["correlation_id"] as? String == "chain-7")

            let events = try await gateway.send("GET", "/api/events?correlation_id=chain-7&exam_id=\(exam)")
            #expect(events.items.map { $0["type"] as? String } == ["sheet.uploaded"])
            #expect(events.items.first?["actor"] as? String == "zhang")

            let list = try await gateway.send("GET", "/api/exams/\(exam)/sheets?status=uploaded")
            #expect(list.items.map { $0["id"] as? String } == [id])
            #expect(list.items.first?["student_id"] is NSNull)
            let show = try await gateway.send("GET", "/api/sheets/\(id)")
            #expect(show.json["status"] as? String == "uploaded")
            #expect((show.json["recognition"] as? [String: Any])?["fields"] is [String: Any])
            #expect((show.json["marks"] as? [Any])?.isEmpty == true)
            let image = try await gateway.send("GET", "/api/sheets/\(id)/image")
            #expect(image.headers["content-type"] == "image/png")
            #expect(image.body == page)
            #expect(try FileManager.default.contentsOfDirectory(atPath: gateway.incoming).isEmpty)
        }
    }

    @Test func `a page uploaded again is the same sheet and nothing else happens`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            let first = try await gateway.upload(exam, [("a.png", RunningGateway.png(1))])
            let again = try await gateway.upload(
                exam,
                [("b.png", RunningGateway.png(1)), ("c.png", RunningGateway.png(2)), ("d.png", RunningGateway.png(2))])
            #expect(again.status == 202)
            let sheets = try #require(again.json["sheets"] as? [[String: Any]])
            #expect(sheets.map { $0["duplicate"] as? Bool } == [true, false, true])
            let firstID = (first.json["sheets"] as? [[String: Any]])?.first?["id"] as? String
            #expect(sheets[0]["id"] as? String == firstID)
            #expect(sheets[1]["id"] as? String == sheets[2]["id"] as? String)
            #expect(try await gateway.send("GET", "/api/exams/\(exam)/sheets").items.count == 2)
            let events = try await gateway.send("GET", "/api/events?exam_id=\(exam)&type=sheet.uploaded")
            #expect(events.items.count == 2)
            let tasks = try await gateway.context.queue.statistics(type: OCRTask.type)
            #expect(tasks.reduce(0) { $0 + $1.ready } == 2)
        }
    }

    @Test func `files that are no scans are listed and the others taken`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            let answer = try await gateway.upload(
                exam,
                [
                    ("notes.txt", Array("just text".utf8)), ("a.png", RunningGateway.png(1)), ("empty.png", []),
                    ("cut.png", Array(RunningGateway.png(1).prefix(10))),
                ])
            #expect(answer.status == 202, "\(answer.text)")
            #expect((answer.json["sheets"] as? [Any])?.count == 1)
            let rejected = try #require(answer.json["rejected"] as? [[String: Any]])
            #expect(rejected.map { $0["file"] as? String } == ["notes.txt", "empty.png", "cut.png"])
            #expect(rejected.map { $0["code"] as? String } == ["not_an_image", "empty", "damaged"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: gateway.incoming).isEmpty)
        }
    }

    @Test func `an upload of which nothing can be taken is a problem that says why for each file`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            let text = try await gateway.upload(exam, [("a.txt", Array("text".utf8)), ("b.txt", Array("text".utf8))])
            #expect(text.status == 415)
            #expect(text.problem == "upload-rejected")
            #expect(text.pointers == ["/file/0", "/file/1"])
            let mixed = try await gateway.upload(exam, [("a.txt", Array("text".utf8)), ("b.png", [])])
            #expect(mixed.status == 422)
            #expect((mixed.json["rejected"] as? [Any])?.count == 2)
            #expect(try await gateway.send("GET", "/api/exams/\(exam)/sheets").items.isEmpty)
        }
    }

    @Test func `an upload with a wrong form is refused with the place`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            let scan = [("a.png", RunningGateway.png(1))]
            let noExam = try await gateway.upload(nil, scan)
            #expect(noExam.status == 400)
            #expect(noExam.pointers == ["/exam_id"])
            let noFile = try await gateway.upload(exam, [])
            #expect(noFile.pointers == ["/file"])
            let unknown = try await gateway.upload("nowhere", scan)
            #expect(unknown.status == 404)
            #expect(unknown.problem == "exam-not-found")
            let json = try await gateway.send("POST", "/api/upload", json: "{}")
            #expect(json.status == 415)
            let noBoundary = try await gateway.send(
                "POST", "/api/upload", .bytes(Array("x".utf8)), headers: ["Content-Type": "multipart/form-data"])
            #expect(noBoundary.problem == "malformed-multipart")
            let cut = try await gateway.send(
                "POST", "/api/upload",
                .bytes(Array("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nabc".utf8)),
                headers: ["Content-Type": "multipart/form-data; boundary=b"])
            #expect(cut.problem == "malformed-multipart")
            #expect(try FileManager.default.contentsOfDirectory(atPath: gateway.incoming).isEmpty)
        }
    }

    @Test func `limits are enforced while reading`() async throws {
        var configuration = GatewayConfiguration()
        configuration.upload = UploadLimits(totalBytes: 400_000, fileBytes: 100_000, files: 3)
        try await RunningGateway.run(configuration) { gateway in
            let exam = try await gateway.createExam()
            let scan = RunningGateway.png(1)
            let oneTooLarge = try await gateway.upload(
                exam, [("big.png", RunningGateway.png(2, bytes: 100_001)), ("a.png", scan)])
            #expect(oneTooLarge.status == 202)
            #expect((oneTooLarge.json["rejected"] as? [[String: Any]])?.first?["code"] as? String == "too_large")
            let tooMany = try await gateway.upload(exam, Array(repeating: ("a.png", scan), count: 4))
            #expect(tooMany.status == 413)
            #expect(tooMany.problem == "too-many-files")
            let announced = try await gateway.upload(exam, [("a.png", [UInt8](repeating: 0, count: 500_000))])
            #expect(announced.status == 413)
            #expect(announced.problem == "body-too-large")

            // Without an announced length, the limit strikes in the middle.
            let head = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n"
            let chunks = (0..<20).map { index in
                ByteBuffer(bytes: (index == 0 ? Array(head.utf8) : []) + [UInt8](repeating: 7, count: 50_000))
            }
            let streamed = try await gateway.send(
                "POST", "/api/upload", .stream(Chunks(chunks), length: .unknown),
                headers: ["Content-Type": "multipart/form-data; boundary=b"])
            #expect(streamed.status == 413)
            #expect(streamed.problem == "body-too-large")
            #expect(try FileManager.default.contentsOfDirectory(atPath: gateway.incoming).isEmpty)
        }
    }

    @Test func `two hundred pages at once from eight clients become two hundred sheets`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            let ids = try await withThrowingTaskGroup(of: [String].self) { group in
                for client in 0..<8 {
                    group.addTask {
                        let files = (0..<25).map { ("p\($0).png", RunningGateway.png(client * 25 + $0)) }
                        let answer = try await gateway.upload(exam, files)
                        return (answer.json["sheets"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(Set(ids).count == 200)
            var listed: Set<String> = []
            var cursor = ""
            repeat {
                let page = try await gateway.send("GET", "/api/exams/\(exam)/sheets?limit=70\(cursor)")
                listed.formUnion(page.items.compactMap { $0["id"] as? String })
                cursor = (page.json["next_cursor"] as? String).map { "&cursor=\($0)" } ?? ""
            } while !cursor.isEmpty
            #expect(listed == Set(ids))
        }
    }
}

extension RunningGateway {
    var incoming: String { context.blobs.directory + "/incoming" }
}

/// A body that comes piece by piece and does not say how long it will be.
private struct Chunks: AsyncSequence, Sendable {
    struct AsyncIterator: AsyncIteratorProtocol {
        var rest: ArraySlice<ByteBuffer>

        mutating func next() async -> ByteBuffer? { rest.popFirst() }
    }

    private let chunks: [ByteBuffer]

    init(_ chunks: [ByteBuffer]) {
        self.chunks = chunks
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(rest: chunks[...]) }
}
