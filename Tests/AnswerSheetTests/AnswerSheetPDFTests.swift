import AnswerSheet
import Domain
import Foundation
import SheetPrinting
import Testing

@Suite struct AnswerSheetPDFTests {
    /// An exam with every kind of field on few pages.
    private var exam: Exam {
        var exam = Exam.random(seed: 2)
        exam.title = "期中考试 Midterm"
        exam.studentIDDigits = 9
        exam.questions = (1...32).map { number in
            switch number {
            case 1...15: Question(number: number, kind: .singleChoice, points: 2, options: 4, answer: "A")
            case 16...20: Question(number: number, kind: .multipleChoice, points: 2, options: 7, answer: "AC")
            case 21...25: Question(number: number, kind: .trueFalse, points: 2, answer: "T")
            case 26...28: Question(number: number, kind: .numeric, points: 2, answer: "1", digits: 3)
            case 29...31: Question(number: number, kind: .shortText, points: 2, answers: ["水"])
            default: Question(number: number, kind: .open, points: 8, height: 40)
            }
        }
        return exam
    }

    @Test func `What is printed lies within a tenth of a millimetre of the layout`() throws {
        let layout = AnswerSheetLayout.make(for: exam)
        let pages = try rasterised(AnswerSheetPDF.render(layout: layout, title: exam.title), dpi: 300)
        #expect(pages.count == layout.pages.count)
        for (page, image) in zip(layout.pages, pages) {
            #expect(abs(Double(image.width) / image.scale - 210) < 0.2)
            #expect(abs(Double(image.height) / image.scale - 297) < 0.2)
            for mark in page.cornerMarks {
                let extent = try #require(image.darkExtent(x: mark.x, y: mark.y, reach: mark.size / 2 + 2))
                #expect(abs(extent.x - mark.x) < 0.1 && abs(extent.y - mark.y) < 0.1)
                #expect(abs(extent.width - mark.size) < 0.15 && abs(extent.height - mark.size) < 0.15)
                #expect((image.gray(x: mark.x, y: mark.y) > 200) == mark.hollow)
            }
            for bubble in page.fields.flatMap(\.bubbles) {
                let extent = try #require(
                    image.darkExtent(
                        x: bubble.x, y: bubble.y, reachX: bubble.width / 2 + 0.5, reachY: bubble.height / 2 + 0.5))
                #expect(abs(extent.x - bubble.x) < 0.1 && abs(extent.y - bubble.y) < 0.1, "\(bubble)")
                #expect(abs(extent.width - bubble.width) < 0.2 && abs(extent.height - bubble.height) < 0.2)
            }
            let code = try #require(page.code)
            let extent = try #require(image.darkExtent(x: code.x, y: code.y, reach: code.size / 2 + 2))
            #expect(abs(extent.x - code.x) < 0.1 && abs(extent.y - code.y) < 0.1)
            #expect(abs(extent.width - code.size) < 0.2)
        }
    }

    @Test func `Pixels drawn directly agree with the printed page`() throws {
        let layout = AnswerSheetLayout.make(for: exam)
        let printed = try rasterised(AnswerSheetPDF.render(layout: layout, title: ""), dpi: 100)
        for (page, image) in zip(layout.pages, printed) {
            let direct = try AnswerSheetPDF.rasterise(page: page, dpi: 100)
            #expect(direct.width == image.width && abs(direct.height - image.height) <= 1)
            let differing = zip(direct.pixels, image.pixels).count { abs(Int($0) - Int($1)) > 128 }
            #expect(differing * 100 < direct.pixels.count)
        }
    }

    @Test func `The same layouts give the same bytes, and every student has pages of their own`() throws {
        let layouts = ["20260001", "20260002", "20260003"].map { AnswerSheetLayout.make(for: exam, student: $0) }
        let first = try AnswerSheetPDF.render(layouts: layouts, title: exam.title)
        #expect(try AnswerSheetPDF.render(layouts: layouts, title: exam.title) == first)
        let pages = try rasterised(first, dpi: 40)
        #expect(pages.count == layouts.flatMap(\.pages).count)
    }

    @Test func `Chinese and English text can be searched in the PDF, in embedded fonts`() throws {
        let pdf = try AnswerSheetPDF.render(layout: AnswerSheetLayout.make(for: exam), title: exam.title)
        let directory = try TemporaryDirectory()
        let path = directory.url.appending(path: "sheet.pdf")
        try Data(pdf).write(to: path)
        let text = try run("/usr/bin/pdftotext", [path.path, "-"])
        for phrase in ["期中考试 Midterm", "准考证号 Student ID", "姓名 Name", "填涂示例 How to fill", "单项选择题 Single choice"] {
            #expect(text.contains(phrase))
        }
        let fonts = try run("/usr/bin/pdffonts", [path.path]).split(separator: "\n").dropFirst(2)
        #expect(!fonts.isEmpty)
        #expect(fonts.allSatisfy { $0.contains("yes yes") })
    }

    @Test func `Without a Chinese font printing says what to install`() async {
        await #expect(processExitsWith: .success) {
            let directory = try TemporaryDirectory()
            let configuration = directory.url.appending(path: "fonts.conf")
            let text = "<fontconfig><dir>/usr/share/fonts/truetype/dejavu</dir></fontconfig>"
            try Data(text.utf8).write(to: configuration)
            setenv("FONTCONFIG_FILE", configuration.path, 1)
            let error = #expect(throws: PrintingError.self) {
                try AnswerSheetPDF.render(layout: AnswerSheetLayout.make(for: .random(seed: 1)), title: "")
            }
            #expect(error?.code == .fontMissing)
            #expect(error?.message.contains("fonts-noto-cjk") == true)
        }
    }
}

/// The pages of a PDF as poppler draws them.
private func rasterised(_ pdf: [UInt8], dpi: Int) throws -> [PrintedImage] {
    let directory = try TemporaryDirectory()
    let path = directory.url.appending(path: "sheet.pdf")
    try Data(pdf).write(to: path)
    _ = try run("/usr/bin/pdftoppm", ["-gray", "-r", "\(dpi)", path.path, directory.url.appending(path: "page").path])
    let names = try FileManager.default.contentsOfDirectory(atPath: directory.url.path).filter { $0.hasSuffix(".pgm") }
    return try names.sorted().map {
        try PrintedImage(pgm: [UInt8](Data(contentsOf: directory.url.appending(path: $0))), dpi: dpi)
    }
}

private func run(_ program: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return text
}

/// A directory that is removed with its owner.
private final class TemporaryDirectory {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "answer-sheet-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }
}

/// A rasterised page to measure on.
private struct PrintedImage {
    var width: Int
    var height: Int
    var pixels: ArraySlice<UInt8>
    /// Pixels a millimetre.
    var scale: Double

    init(pgm: [UInt8], dpi: Int) throws {
        let header = String(decoding: pgm.prefix(64), as: UTF8.self).split(whereSeparator: \.isWhitespace)
        try #require(header.count > 3 && header[0] == "P5")
        width = try #require(Int(header[1]))
        height = try #require(Int(header[2]))
        pixels = pgm.suffix(width * height)
        scale = Double(dpi) / 25.4
    }

    private func level(_ column: Int, _ row: Int) -> Double {
        Double(pixels[pixels.startIndex + row * width + column])
    }

    func gray(x: Double, y: Double) -> Double {
        level(Int(x * scale), Int(y * scale))
    }

    func darkExtent(x: Double, y: Double, reach: Double) -> Box? {
        darkExtent(x: x, y: y, reachX: reach, reachY: reach)
    }

    /// The rectangle around all ink near a place, its edges refined by how dark the outermost pixels are.
    func darkExtent(x: Double, y: Double, reachX: Double, reachY: Double) -> Box? {
        let columns = Int((x - reachX) * scale)...Int((x + reachX) * scale)
        let rows = Int((y - reachY) * scale)...Int((y + reachY) * scale)
        let darkColumns = columns.filter { column in rows.contains { level(column, $0) < 190 } }
        let darkRows = rows.filter { row in columns.contains { level($0, row) < 190 } }
        guard let left = darkColumns.first, let right = darkColumns.last, let top = darkRows.first,
            let bottom = darkRows.last
        else { return nil }
        return Box(
            x: Double(left + right + 1) / 2 / scale, y: Double(top + bottom + 1) / 2 / scale,
            width: Double(right - left + 1) / scale, height: Double(bottom - top + 1) / scale)
    }
}
