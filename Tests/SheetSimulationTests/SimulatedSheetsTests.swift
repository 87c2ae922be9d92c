import AnswerSheet
import Domain
import Foundation
import SheetPrinting
import Testing

@testable import SheetSimulation

@Suite struct SimulatedSheetsTests {
    @Test func `The same seed gives the same sheet, another seed another`() throws {
        let first = try SimulatedSheets(exam: .demonstration, seed: 9).sheet(2)
        let second = try SimulatedSheets(exam: .demonstration, seed: 9).sheet(2)
        let other = try SimulatedSheets(exam: .demonstration, seed: 10).sheet(2)
        #expect(first.files.map(\.bytes) == second.files.map(\.bytes))
        #expect(first.truth == second.truth)
        #expect(first.files.map(\.bytes) != other.files.map(\.bytes))
        #expect(SimulatedSheets(exam: .demonstration, seed: 9).student(2).truth == first.truth)
    }

    @Test(arguments: [100.0, 200, 300])
    func `Every scan has the chosen resolution, and the same answers`(dpi: Double) throws {
        let simulation = SimulatedSheets(exam: .demonstration, seed: 9, formats: [.jpeg], dpi: dpi)
        let layout = AnswerSheetLayout.make(for: .demonstration)
        for index in 0..<2 {
            let sheet = try simulation.sheet(index)
            #expect(sheet.truth == SimulatedSheets(exam: .demonstration, seed: 9).student(index).truth)
            for (file, page) in zip(sheet.files, layout.pages) {
                let header = try #require(JPEGHeader(file.bytes))
                #expect(header.dotsPerInch == Int(dpi))
                #expect(abs(Double(header.width) - page.width / 25.4 * dpi) <= 1)
                #expect(abs(Double(header.height) - page.height / 25.4 * dpi) <= 1)
            }
        }
    }

    @Test(arguments: ScanFormat.allCases)
    func `Files of every format hold the pages of the sheet`(format: ScanFormat) throws {
        let sheet = try SimulatedSheets(exam: .demonstration, seed: 3, formats: [format]).sheet(0)
        #expect(sheet.files.flatMap(\.pages) == [1, 2])
        let magic: [UInt8] =
            switch format {
            case .png: [0x89, 0x50, 0x4E, 0x47]
            case .jpeg: [0xFF, 0xD8, 0xFF, 0xE0]
            case .tiff: [0x49, 0x49, 42, 0]
            case .pdf: Array("%PDF".utf8)
            }
        for file in sheet.files {
            #expect(file.name.hasSuffix("." + format.fileExtension))
            #expect(Array(file.bytes.prefix(4)) == magic)
        }
        guard format == .pdf, let file = sheet.files.first else { return }
        let path = FileManager.default.temporaryDirectory.appending(path: "sheet-\(UUID().uuidString).pdf")
        defer { try? FileManager.default.removeItem(at: path) }
        try Data(file.bytes).write(to: path)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/pdfimages")
        process.arguments = ["-list", path.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let images = output.split(separator: "\n").filter { $0.contains(" image ") }
        #expect(images.count == 2)
        #expect(images.allSatisfy { $0.contains(" jpeg ") })
    }

    @Test(arguments: MarkStyle.allCases, [Instrument.pencil, .bluePen])
    func `Every style darkens the meant bubbles and leaves the others alone`(
        style: MarkStyle, instrument: Instrument
    ) throws {
        let page = try #require(AnswerSheetLayout.make(for: .demonstration).pages.first)
        let blank = try AnswerSheetPDF.rasterise(page: page, dpi: 200)
        let truth = SimulatedSheets(exam: .demonstration, seed: 4, rates: .clean).student(0).truth
        let canvas = try SheetCanvas(page: page, dpi: 200)
        let habits = PenHabits(
            instrument: instrument, style: style, changedStyle: 0, erasures: 0, pressure: 0.8, hand: 1, slant: 0.1)
        var pen = try SimulatedPen(canvas: canvas, habits: habits, generator: SeededGenerator(seed: 1))
        pen.fill(page: page, answers: truth)
        let filled = canvas.grayImage()
        for field in page.fields {
            for bubble in field.bubbles {
                let added = blank.meanGray(of: bubble) - filled.meanGray(of: bubble)
                let text = truth[field.name] ?? ""
                let isMeant =
                    field.kind == .digits
                    ? text.dropFirst(bubble.position).first.map { String($0) } == bubble.value
                    : text.contains(bubble.value)
                if isMeant {
                    #expect(added > 20, "\(field.name) \(bubble.value) \(style)")
                } else {
                    #expect(added < 14, "\(field.name) \(bubble.value) \(style)")
                }
            }
        }
    }

    @Test func `An erased mark leaves a trace that is much lighter than a mark`() throws {
        let page = try #require(AnswerSheetLayout.make(for: .demonstration).pages.first)
        let blank = try AnswerSheetPDF.rasterise(page: page, dpi: 200)
        let canvas = try SheetCanvas(page: page, dpi: 200)
        let habits = PenHabits(
            instrument: .pencil, style: .full, changedStyle: 0, erasures: 1, pressure: 1, hand: 0, slant: 0)
        var pen = try SimulatedPen(canvas: canvas, habits: habits, generator: SeededGenerator(seed: 1))
        pen.fill(page: page, answers: ["q1": "B"])
        let filled = canvas.grayImage()
        let field = try #require(page.fields.first { $0.name == "q1" })
        let added = field.bubbles.map { blank.meanGray(of: $0) - filled.meanGray(of: $0) }
        #expect(added[1] > 100)
        #expect(added.enumerated().count { $0.offset != 1 && (5...50).contains($0.element) } == 1)
    }

    @Test func `Blank answers leave the page as it was printed`() throws {
        let page = try #require(AnswerSheetLayout.make(for: .demonstration).pages.first)
        let canvas = try SheetCanvas(page: page, dpi: 100)
        var generator = SeededGenerator(seed: 1)
        let habits = PenHabits.random(rates: .difficult, using: &generator)
        var pen = try SimulatedPen(canvas: canvas, habits: habits, generator: generator)
        pen.fill(page: page, answers: ["q1": ""])
        #expect(try canvas.grayImage() == AnswerSheetPDF.rasterise(page: page, dpi: 100))
    }
}

extension GrayImage {
    /// Mean grey level within a bubble of a page of A4.
    func meanGray(of bubble: Bubble) -> Double {
        let scale = Double(width) / 210
        var (sum, count) = (0, 0)
        for y in Int((bubble.y - bubble.height / 2) * scale)...Int((bubble.y + bubble.height / 2) * scale) {
            for x in Int((bubble.x - bubble.width / 2) * scale)...Int((bubble.x + bubble.width / 2) * scale) {
                sum += Int(pixels[y * width + x])
                count += 1
            }
        }
        return Double(sum) / Double(count)
    }
}
