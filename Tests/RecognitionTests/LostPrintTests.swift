import Domain
import Testing

@testable import Recognition

@Suite struct LostPrintTests {
    let reader = PageReader(configuration: ReaderConfiguration())

    /// Covers a place of the page with paper.
    private func cover(_ canvas: Canvas, x: Double, y: Double, size: Double) {
        let s = Canvas.scale
        for row in Int((y - size / 2) * s)..<Int((y + size / 2) * s) {
            for column in Int((x - size / 2) * s)..<Int((x + size / 2) * s) { canvas.image[column, row] = 255 }
        }
    }

    private func read(
        covering corners: [Int], code: Bool, scan: Scan, seed: UInt64
    ) throws -> (reading: PageReading, wrong: Int) {
        let layout = PrintedSheet.layout()
        let page = layout.pages[0]
        let canvas = PrintedSheet.print(page)
        for corner in corners { cover(canvas, x: page.cornerMarks[corner].x, y: page.cornerMarks[corner].y, size: 8) }
        if code, let place = page.code { cover(canvas, x: place.x, y: place.y, size: place.size + 2) }
        var generator = SeededGenerator(seed: seed)
        var truth: [String: String] = [:]
        for field in page.fields where field.kind == .choice {
            guard let bubble = field.bubbles.randomElement(using: &generator) else { continue }
            PenMark.full.draw(bubble, on: canvas, using: &generator)
            truth[field.name] = bubble.value
        }
        let bytes = ImageFile.jpeg(scan.scan(canvas, using: &generator))
        let reading = try reader.read(bytes, page: 0, layout: layout, expectedExam: nil)
        let wrong = truth.count { name, value in
            reading.fields[name].map { $0.value != value && $0.flags.isEmpty } ?? true
        }
        return (reading, wrong)
    }

    @Test("Any three corner marks are enough", arguments: [0, 1, 2, 3], [1.5, 181])
    func threeMarks(missing: Int, rotation: Double) throws {
        let (reading, wrong) = try read(covering: [missing], code: false, scan: Scan(rotation: rotation), seed: 3)
        #expect(wrong == 0)
        #expect(reading.flags == [.cornerMarkMissing])
        #expect(reading.fields.values.count { $0.flags.isEmpty } == 36)
    }

    @Test("Without a readable code the page is inferred and flagged", arguments: [0.0, 180, 90])
    func noCode(rotation: Double) throws {
        let (reading, wrong) = try read(covering: [], code: true, scan: Scan(rotation: rotation), seed: 4)
        #expect(wrong == 0)
        #expect(reading.flags == [.codeUnreadable])
        #expect(reading.fields.values.count { $0.flags.isEmpty } == 36)
    }

    @Test("Without corner marks the sheet's outline is used and flagged", arguments: [[0, 1, 2, 3], [0, 1], [1, 2]])
    func noMarks(missing: [Int]) throws {
        let (reading, wrong) = try read(
            covering: missing, code: false, scan: Scan(rotation: 0.5, table: 40), seed: 5)
        #expect(wrong == 0)
        #expect(reading.flags.contains(.cornersGuessed))
    }

    @Test("Few pixels a millimetre are flagged")
    func lowResolution() throws {
        let (reading, wrong) = try read(covering: [], code: false, scan: Scan(dpi: 75), seed: 6)
        #expect(wrong == 0)
        #expect(reading.flags.contains(.lowResolution))
    }
}
