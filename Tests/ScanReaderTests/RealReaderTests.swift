import Domain
import Logging
import Testing

@testable import ScanReader

/// The reader program of this build, on real pages and hostile ones.
@Suite struct RealReaderTests {
    private func withReader<Result>(_ body: (ScanReader) async throws -> Result) async throws -> Result {
        let reader = ScanReader(
            configuration: ScanReaderConfiguration(), workers: 1, logger: Logger(label: "test"))
        do {
            let result = try await body(reader)
            await reader.shutdown()
            return result
        } catch {
            await reader.shutdown()
            throw error
        }
    }

    @Test func `a printed sheet is read from its PDF, and from a picture of it`() async throws {
        let (layout, pdf) = try Samples.answerSheet()
        let tools = PDFTools(resolution: 150, maxPixels: 10_000_000)
        let picture = try tools.render(.bytes(pdf), page: 0, until: .now + .seconds(20))
        try await withReader { reader in
            for scan in [
                ScanSource(bytes: pdf), ScanSource(path: try Samples.file(pdf)), ScanSource(bytes: picture),
                ScanSource(path: try Samples.file(picture)),
            ] {
                let reading = try await reader.read(scan, layout: layout, expectedExam: "exam1")
                #expect(reading.page == 1)
                #expect(Set(reading.fields.keys) == Set(layout.pages[0].fields.map(\.name)))
                #expect(reading.fields.values.allSatisfy { $0.flags == [.blank] })
            }
            let other = await failure { () throws(ReadingFailure) in
                try await reader.read(ScanSource(bytes: picture), layout: layout, expectedExam: "exam2")
            }
            #expect(other?.code == .wrongExam)
        }
    }

    @Test(.enabled(if: ReaderInstallation.locate().modelDirectory != nil, "the text model is not installed"))
    func `text is read by a confined process, threads of its model included`() async throws {
        let (layout, pdf) = try Samples.answerSheet(text: "光合作用 64")
        let reading = try await withReader { reader in
            try await reader.read(ScanSource(bytes: pdf), layout: layout, expectedExam: nil)
        }
        let value = reading.fields["q21"]?.value.filter { $0 != " " }
        #expect(value == "光合作用64", "\(String(describing: reading.fields["q21"]))")
    }

    @Test func `a part of a page is cut out as it lies flat, and as fine as the scan is`() async throws {
        let (layout, pdf) = try Samples.answerSheet(text: "photosynthesis")
        let box = try #require(layout.pages[0].fields.first { $0.kind == .text }?.box)
        // As large, and nothing is printed there.
        let empty = Box(x: box.x, y: layout.pages[0].height - 2.5, width: box.width, height: 3)
        let tools = PDFTools(resolution: 200, maxPixels: 10_000_000)
        let picture = try tools.render(.bytes(pdf), page: 0, until: .now + .seconds(20))
        try await withReader { reader in
            var bytes: [Int] = []
            for area in [box, empty] {
                let image = try await reader.picture(
                    of: .area(area), ScanSource(bytes: picture), layout: layout, expectedExam: "exam1")
                let size = try #require(ImageSize(jpeg: BoundedFile(image)))
                let scale = 200 / 25.4
                #expect(abs(Double(size.pixels) - area.width * area.height * scale * scale) < 2000)
                bytes.append(image.count)
            }
            #expect(bytes[0] > 2 * bytes[1], "there is writing in the box: \(bytes)")
            for (exam, area, code) in [
                (ExamID("exam2"), box, ReadingFailure.Code.wrongExam),
                ("exam1", Box(x: 5, y: 5, width: 5000, height: 5), .noSheetFound),
            ] {
                let failure = await failure { () throws(ReadingFailure) in
                    try await reader.picture(
                        of: .area(area), ScanSource(bytes: picture), layout: layout, expectedExam: exam)
                }
                #expect(failure?.code == code)
            }
            // The process goes on reading pages.
            #expect(try await reader.read(ScanSource(bytes: picture), layout: layout, expectedExam: nil).page == 1)
        }
    }

    @Test func `a whole page is shown flat where it is found, and else as it was scanned`() async throws {
        let (layout, pdf) = try Samples.answerSheet()
        let tools = PDFTools(resolution: 100, maxPixels: 10_000_000)
        let picture = try tools.render(.bytes(pdf), page: 0, until: .now + .seconds(20))
        let large = try PDFTools(resolution: 300, maxPixels: 40_000_000)
            .render(.bytes(pdf), page: 0, until: .now + .seconds(20))
        let page = try #require(layout.pages.first)
        let none = SheetLayout(pages: [])
        // Flat it is all of the page and nothing else; as fine as the scan, but no larger than anybody looks at.
        let (fine, largest) = (100 / 25.4, 2400 / page.height)
        try await withReader { reader in
            for (source, layout, exam, scale) in [
                (picture, layout, ExamID("exam1"), 4), (picture, layout, "exam2", fine), (picture, none, "exam1", fine),
                (large, layout, "exam1", largest), (large, none, "exam1", largest),
            ] {
                let image = try await reader.picture(
                    of: .page, ScanSource(bytes: source), layout: layout, expectedExam: exam)
                let pixels = try #require(ImageSize(jpeg: BoundedFile(image))?.pixels)
                let expected = page.width * page.height * scale * scale
                #expect(abs(Double(pixels) - expected) < 0.01 * expected)
            }
            let failure = await failure { () throws(ReadingFailure) in
                try await reader.picture(
                    of: .page, ScanSource(bytes: Array("no image".utf8)), layout: layout, expectedExam: nil)
            }
            #expect(failure?.code == .notAnImage)
        }
    }

    @Test func `a hostile file fails with its reason and the next page is read`() async throws {
        let (layout, pdf) = try Samples.answerSheet()
        let tools = PDFTools(resolution: 100, maxPixels: 10_000_000)
        let picture = try tools.render(.bytes(pdf), page: 0, until: .now + .seconds(20))
        let hostile: [(ScanSource, ReadingFailure.Code)] = [
            (ScanSource(bytes: []), .notAnImage),
            (ScanSource(bytes: Array("no image".utf8)), .notAnImage),
            (ScanSource(bytes: Array(picture.prefix(picture.count / 2))), .damagedImage),
            (ScanSource(bytes: Samples.png(width: 60_000, height: 60_000)), .imageTooLarge),
            (ScanSource(bytes: Samples.png(width: 9_000, height: 9_000)), .damagedImage),
            (ScanSource(bytes: Samples.tiff(pages: 1, width: 50_000, height: 50_000)), .imageTooLarge),
            (ScanSource(bytes: Samples.protectedPDF), .damagedImage),
            (ScanSource(bytes: pdf, page: 5), .damagedImage),
            (ScanSource(path: "/nonexistent/scan.png"), .readerUnavailable),
        ]
        try await withReader { reader in
            for (scan, code) in hostile {
                let failure = await failure { () throws(ReadingFailure) in
                    try await reader.read(scan, layout: layout, expectedExam: nil)
                }
                #expect(failure?.code == code, "\(scan.page) \(failure?.message ?? "none")")
                #expect(failure?.message.isEmpty == false)
            }
            let reading = try await reader.read(ScanSource(bytes: picture), layout: layout, expectedExam: nil)
            #expect(reading.page == 1)
        }
    }

    @Test(arguments: ["1440000 1440000", "14400 14400", "1 14400", "0.001 0.001"])
    func `a page of any size is drawn within the pixel limit, or refused`(size: String) throws {
        let tools = PDFTools(resolution: 200, maxPixels: 4_000_000)
        do {
            let jpeg = try tools.render(.bytes(Samples.pdf(pages: 1, size: size)), page: 0, until: .now + .seconds(30))
            let drawn = try #require(ImageSize(jpeg: BoundedFile(jpeg)))
            #expect(drawn.pixels <= 4_100_000)
        } catch let failure as ReadingFailure {
            #expect(failure.code == .damagedImage || failure.code == .imageTooLarge)
        }
    }

    @Test func `a reader that is not there is named`() async throws {
        var configuration = ScanReaderConfiguration()
        configuration.readerPath = "/nonexistent/ocr-reader"
        let reader = ScanReader(configuration: configuration, workers: 1, logger: Logger(label: "test"))
        let failure = await failure { () throws(ReadingFailure) in try await reader.values(order("echo")) }
        #expect(failure?.code == .readerUnavailable)
        #expect(failure?.message.contains("/nonexistent/ocr-reader") == true)
        #expect(failure?.message.contains("No such file") == true)
        await reader.shutdown()
    }
}
