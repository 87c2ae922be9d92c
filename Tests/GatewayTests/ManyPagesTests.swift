import BlobStore
import Domain
import ExamStore
import Foundation
import ServiceKit
import Testing

@testable import Gateway

/// Files of many pages: each page is a sheet, in order, as soon as the upload is answered.
@Suite struct ManyPagesTests {
    @Test(arguments: [("pdf", 40), ("tiff", 40)])
    func `every page of a file becomes a sheet, in order, whatever the file is called`(kind: String, pages: Int)
        async throws
    {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            let file = kind == "pdf" ? Self.pdf(pages: pages) : Self.tiff(pages: pages)
            let answer = try await gateway.upload(exam, [("../../etc/scan.png", file)])
            #expect(answer.status == 202, "\(answer.text)")
            let sheets = try #require(answer.json["sheets"] as? [[String: Any]])
            #expect(sheets.map { $0["page"] as? Int } == Array(1...pages))
            #expect(sheets.allSatisfy { $0["file"] as? String == "scan.png" })
            let listed = try await gateway.send("GET", "/api/exams/\(exam)/sheets?status=uploaded&limit=100")
            #expect(listed.items.map { $0["id"] as? String } == sheets.map { $0["id"] as? String })
            let id = try #require(sheets.last?["id"] as? String)
            let original = try await gateway.send("GET", "/api/sheets/\(id)/image?as=original")
            #expect(original.headers["content-type"] == (kind == "pdf" ? "application/pdf" : "image/tiff"))
            #expect(original.body == file)
            #expect(try await gateway.send("GET", "/api/sheets/\(id)/image?as=gif").pointers == ["?as"])
            // Nobody wants forty pages who asks for one.
            let page = try await gateway.send("GET", "/api/sheets/\(id)/image")
            #expect(page.headers["content-type"] == "image/jpeg")
            #expect(page.body.starts(with: [0xFF, 0xD8, 0xFF]), "\(page.text)")
            let tag = try #require(page.headers["etag"])
            let again = try await gateway.send("GET", "/api/sheets/\(id)/image", headers: ["If-None-Match": tag])
            #expect(again.status == 304)
            // One file on disk for all of them, and none with a name of the sender's.
            let blobs = try FileManager.default.subpathsOfDirectory(atPath: gateway.context.blobs.directory + "/blobs")
            #expect(blobs.filter { !$0.hasSuffix("scan.png") && $0.count > 3 }.count == 1)
        }
    }

    @Test func `a page for each task, none twice, when the same file comes again`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            let file = Self.pdf(pages: 12)
            _ = try await gateway.upload(exam, [("a.pdf", file)])
            let again = try await gateway.upload(exam, [("b.pdf", file)])
            let sheets = try #require(again.json["sheets"] as? [[String: Any]])
            #expect(sheets.allSatisfy { $0["duplicate"] as? Bool == true })
            let tasks = try await gateway.send(
                "GET", "/api/tasks?limit=100&type=ocr_processing", token: try await gateway.token("root", .admin))
            #expect(tasks.items.count == 12)
        }
    }

    @Test func `whoever follows the progress of the exam is told how far the file is`() async throws {
        try await RunningGateway.run { gateway in
            let exam = try await gateway.createExam()
            let follower = try await gateway.socket()
            try await gateway.subscribe(follower, type: "progress", exams: [exam])
            let answer = try await gateway.upload(exam, [("class.pdf", Self.pdf(pages: 4))])
            let batch = try #require((answer.json["batches"] as? [[String: Any]])?.first)
            #expect(batch["file"] as? String == "class.pdf" && batch["pages"] as? Int == 4)
            let sheets = try #require(answer.json["sheets"] as? [[String: Any]]).compactMap { $0["id"] as? String }
            for id in sheets {
                try await gateway.context.store.record(
                    ReadingFailure(.blankPage, "nothing on it"), of: SheetID(id),
                    context: EventContext(source: "/test", correlationID: .make()))
            }
            var told: [String] = []
            while told.last != "batch.completed 4" {
                let message = try await follower.message()
                guard let event = message["event"] as? [String: Any], let type = event["type"] as? String,
                    type.hasPrefix("batch."), event["subject"] as? String == batch["id"] as? String
                else { continue }
                let data = try #require(event["data"] as? [String: Any])
                told.append("\(type) \(data["done"].map { "\($0) of " } ?? "")\(data["total"] ?? 0)")
            }
            #expect(
                told == [
                    "batch.started 4", "batch.progress 1 of 4", "batch.progress 2 of 4", "batch.progress 3 of 4",
                    "batch.completed 4",
                ])
        }
    }

    /// A grey page of A4 each, with nothing on it.
    private static func pdf(pages: Int) -> [UInt8] {
        var text = "%PDF-1.4\n"
        var offsets: [Int] = []
        func add(_ object: String) {
            offsets.append(text.utf8.count)
            text += "\(offsets.count) 0 obj\n\(object)\nendobj\n"
        }
        add("<</Type/Catalog/Pages 2 0 R>>")
        add("<</Type/Pages/Count \(pages)/Kids[\((0..<pages).map { "\($0 + 3) 0 R" }.joined(separator: " "))]>>")
        for _ in 0..<pages { add("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>") }
        let table = offsets.map { offset in
            String(repeating: "0", count: 10 - String(offset).count) + "\(offset) 00000 n \n"
        }
        let start = text.utf8.count
        text += "xref\n0 \(pages + 3)\n0000000000 65535 f \n\(table.joined())"
        text += "trailer<</Size \(pages + 3)/Root 1 0 R>>\nstartxref\n\(start)\n%%EOF\n"
        return Array(text.utf8)
    }

    /// Little-endian, a strip of eight grey pixels a page.
    private static func tiff(pages: Int) -> [UInt8] {
        func word(_ value: Int) -> [UInt8] { [UInt8(value & 255), UInt8(value >> 8 & 255)] }
        func long(_ value: Int) -> [UInt8] { word(value & 0xFFFF) + word(value >> 16) }
        var bytes: [UInt8] = Array("II".utf8) + word(42) + long(8)
        for page in 0..<pages {
            let entries = [
                (256, 8), (257, 1), (258, 8), (259, 1), (262, 1), (273, bytes.count + 2 + 9 * 12 + 4), (277, 1),
                (278, 1),
                (279, 8),
            ]
            let next = bytes.count + 2 + entries.count * 12 + 4 + 8
            bytes += word(entries.count)
            for (tag, value) in entries { bytes += word(tag) + word(4) + long(1) + long(value) }
            bytes += long(page + 1 < pages ? next : 0) + [UInt8](repeating: UInt8(page), count: 8)
        }
        return bytes
    }
}
