import Domain
import Testing

@testable import Recognition

@Suite struct BadInputTests {
    let reader = PageReader(configuration: ReaderConfiguration())
    let layout = PrintedSheet.layout()

    private func failure(_ bytes: [UInt8], page: Int = 0, exam: ExamID? = nil) -> ReadingFailure? {
        #expect(throws: ReadingFailure.self) {
            try reader.read(bytes, page: page, layout: layout, expectedExam: exam)
        }
    }

    private func page(_ scan: Scan = Scan(dpi: 120)) -> GreyImage {
        var generator = SeededGenerator(seed: 1)
        return scan.scan(PrintedSheet.print(layout.pages[0]), using: &generator)
    }

    @Test("Other files are no image", arguments: [[], [1, 2, 3], Array("%PDF-1.4".utf8), Array("GIF89a......".utf8)])
    func noImage(bytes: [UInt8]) {
        #expect(failure(bytes)?.code == .notAnImage)
    }

    @Test("A giant PNG is refused by its header")
    func giant() {
        let bytes =
            ImageFile.header(width: 60_000, height: 60_000) + ImageFile.chunk("IDAT", [0x78, 1])
            + ImageFile.chunk("IEND", [])
        #expect(failure(bytes)?.code == .imageTooLarge)
    }

    @Test("A file cut short is damaged", arguments: [0.02, 0.3, 0.7, 0.99])
    func truncated(share: Double) {
        let image = page()
        for whole in [ImageFile.jpeg(image), ImageFile.png(image), ImageFile.tiff([image])] {
            let cut = Array(whole.prefix(max(20, Int(Double(whole.count) * share))))
            #expect(failure(cut)?.code == .damagedImage)
        }
    }

    @Test("A JPEG with its middle overwritten is damaged")
    func overwritten() {
        var bytes = ImageFile.jpeg(page())
        for i in (bytes.count / 3)..<(2 * bytes.count / 3) { bytes[i] = 0 }
        #expect(failure(bytes)?.code == .damagedImage)
    }

    @Test("All formats give the same reading, each page of a TIFF its own")
    func formats() throws {
        let filled = FilledPage(scan: Scan(dpi: 150), seed: 8)
        let image = GreyImage()
        _ = try ImageDecoder(maximumPixels: 120_000_000).decode(
            filled.bytes, page: 0, into: image, sufficientSide: 9999)
        let files = [
            (ImageFile.png(image), 0), (ImageFile.tiff([page(), image]), 1), (ImageFile.jpeg(image, quality: 95), 0),
        ]
        for (bytes, index) in files {
            let reading = try reader.read(bytes, page: index, layout: layout, expectedExam: nil)
            #expect(filled.compare(reading).wrong == [])
            #expect(filled.compare(reading).unflagged == 1)
        }
        #expect(ImageHeader.pageCount(ImageFile.tiff([page(), image]), limit: 100) == 2)
        #expect(failure(ImageFile.tiff([image]), page: 1)?.code == .damagedImage)
    }

    @Test("White paper is a blank page")
    func white() {
        let image = GreyImage(width: 1240, height: 1754)
        for i in 0..<(image.width * image.height) { image.pixels[i] = 240 }
        #expect(failure(ImageFile.jpeg(image))?.code == .blankPage)
    }

    @Test("A picture of something else holds no sheet", arguments: [1, 2, 3])
    func somethingElse(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let canvas = Canvas(width: 210, height: 297, paper: 230)
        for _ in 0..<150 {
            let x = Double.random(in: 10...200, using: &generator)
            let y = Double.random(in: 10...280, using: &generator)
            canvas.stroke([(x, y), (x + 8, y + 2), (x + 15, y - 1)], width: 1, ink: 0.8)
            canvas.rectangle(x: y * 0.6, y: x, width: 5, height: 4, ink: 0.7)
        }
        let image = Scan(dpi: 150, noise: 3).scan(canvas, using: &generator)
        #expect(failure(ImageFile.jpeg(image))?.code == .noSheetFound)
    }

    @Test("A sheet of another exam is refused")
    func wrongExam() {
        #expect(failure(ImageFile.jpeg(page()), exam: "other")?.code == .wrongExam)
    }

    @Test("Noise in every byte of a file never crashes the reader")
    func hostile() {
        let image = page(Scan(dpi: 60))
        let originals = [ImageFile.jpeg(image), ImageFile.png(image), ImageFile.tiff([image])]
        var generator = SeededGenerator(seed: 77)
        var outcomes = 0
        for round in 0..<150 {
            var bytes = originals[round % 3]
            for _ in 0..<Int.random(in: 1...20, using: &generator) {
                let place = Int.random(
                    in: 0..<(round % 2 == 0 ? min(400, bytes.count) : bytes.count), using: &generator)
                bytes[place] = UInt8.random(in: 0...255, using: &generator)
            }
            _ = try? reader.read(bytes, page: 0, layout: layout, expectedExam: nil)
            outcomes += 1
        }
        #expect(outcomes == 150)
    }
}
