import AnswerSheet
import CZip
import Domain
import Foundation
import SheetPrinting

/// Files as people and attackers make them.
enum Samples {
    /// A path of the given bytes, in a folder that lives as long as the test run.
    static func file(_ bytes: [UInt8], function: String = #function) throws -> String {
        let path = folder + "/" + UUID().uuidString
        try Data(bytes).write(to: URL(filePath: path))
        return path
    }

    private static let folder: String = {
        let path = NSTemporaryDirectory() + "/scan-reader-" + UUID().uuidString
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        atexit { try? FileManager.default.removeItem(atPath: folder) }
        return path
    }()

    // MARK: Images

    /// A PNG of one black grey-scale line that claims any size.
    static func png(width: UInt32, height: UInt32) -> [UInt8] {
        func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
            let body = Array(name.utf8) + data
            return big(UInt32(data.count)) + body + big(crc32(body))
        }
        let header = big(width) + big(height) + [8, 0, 0, 0, 0]
        let emptyStream: [UInt8] = [0x78, 0x9C, 0x03, 0, 0, 0, 0, 1]
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
            + chunk("IHDR", header) + chunk("IDAT", emptyStream) + chunk("IEND", [])
    }

    /// The headers of a JPEG, with a comment before the frame.
    static func jpegHeader(width: UInt16, height: UInt16) -> [UInt8] {
        [0xFF, 0xD8, 0xFF, 0xFE, 0, 6] + Array("note".utf8) + [0xFF, 0xC2, 0, 11, 8]
            + [UInt8(height >> 8), UInt8(height & 0xFF), UInt8(width >> 8), UInt8(width & 0xFF), 1, 1, 0x11, 0]
    }

    /// A TIFF of directories only, little-endian. `last` is where the last one points.
    static func tiff(pages: Int, width: UInt32 = 100, height: UInt32 = 100, last: UInt32 = 0) -> [UInt8] {
        var bytes: [UInt8] = [0x49, 0x49, 0x2A, 0] + little(8)
        for page in 0..<pages {
            let next = page == pages - 1 ? last : UInt32(8 + (page + 1) * 30)
            bytes += [2, 0, 0, 1, 4, 0] + little(1) + little(width) + [1, 1, 4, 0] + little(1) + little(height)
            bytes += little(next)
        }
        return bytes
    }

    // MARK: PDF

    /// A PDF of empty pages. `size` is its MediaBox in points.
    static func pdf(pages: Int, size: String = "595 842", trailer: String = "") -> [UInt8] {
        var text = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        let kids = (0..<pages).map { "\($0 + 3) 0 R" }.joined(separator: " ")
        text += "2 0 obj<</Type/Pages/Count \(pages)/Kids[\(kids)]>>endobj\n"
        for page in 0..<pages {
            text += "\(page + 3) 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 \(size)]>>endobj\n"
        }
        return Array((text + "trailer<</Root 1 0 R/Size \(pages + 3)\(trailer)>>\n%%EOF\n").utf8)
    }

    static var protectedPDF: [UInt8] {
        let key = String(repeating: "ab", count: 32)
        return pdf(pages: 1, trailer: "/ID[<00><00>]/Encrypt<</Filter/Standard/V 1/R 2/O<\(key)>/U<\(key)>/P -4>>")
    }

    /// A printed answer sheet of one page, nothing marked, with `text` in the field of question 21: its layout and PDF.
    static func answerSheet(text: String? = nil) throws -> (layout: SheetLayout, pdf: [UInt8]) {
        var questions = (1...20).map { number in
            var question = Question(number: number, kind: .singleChoice, points: 1)
            question.options = 4
            question.answer = "A"
            return question
        }
        var written = Question(number: 21, kind: .shortText, points: 1)
        written.answers = ["chlorophyll"]
        questions.append(written)
        let draft = ExamDraft(title: "Reading test", subject: "", studentIDDigits: 8, questions: questions)
        let exam = Exam(
            id: "exam1", draft: draft, owner: "teacher", createdAt: Timestamp(milliseconds: 0),
            updatedAt: Timestamp(milliseconds: 0), version: 1, keyVersion: 1)
        let layout = AnswerSheetLayout.make(for: exam)
        var filled = layout
        if let text, let box = layout.pages[0].fields.first(where: { $0.kind == .text })?.box {
            filled.pages[0].texts.append(PrintedText(text: text, x: box.x, y: box.y, size: 5, anchor: .middle))
        }
        return (layout, try AnswerSheetPDF.render(layout: filled, title: exam.title))
    }

    // MARK: ZIP

    /// Path of a ZIP with these entries, deflated. Names are raw bytes.
    static func zip(_ entries: [(name: [UInt8], bytes: [UInt8])]) throws -> String {
        let path = try file([])
        var code: Int32 = 0
        guard let archive = zip_open(path, Int32(ZIP_CREATE | ZIP_TRUNCATE), &code) else { throw SampleError() }
        for (name, bytes) in entries {
            // The library writes at the end and then frees it.
            guard let copy = malloc(max(bytes.count, 1)) else { throw SampleError() }
            copy.copyMemory(from: bytes, byteCount: bytes.count)
            guard let source = zip_source_buffer(archive, copy, UInt64(bytes.count), 1) else { throw SampleError() }
            let index = (name.map(CChar.init(bitPattern:)) + [0]).withUnsafeBufferPointer {
                zip_file_add(archive, $0.baseAddress, source, UInt32(ZIP_FL_ENC_RAW))
            }
            guard index >= 0 else { throw SampleError() }
        }
        guard zip_close(archive) == 0 else { throw SampleError() }
        return path
    }

    static func zip(_ entries: [(String, [UInt8])]) throws -> String {
        try zip(entries.map { (name: Array($0.0.utf8), bytes: $0.1) })
    }

    struct SampleError: Error {}

    private static func big(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number.bigEndian, Array.init) }
    private static func little(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number.littleEndian, Array.init) }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
    }
}
