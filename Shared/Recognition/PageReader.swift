import CVision
package import Domain

/// Reads page images. One for a process: it reuses its buffers and is not safe to use from several threads at once.
package final class PageReader {
    let configuration: ReaderConfiguration
    let source = GreyImage()
    let raster = PageRaster()
    let locator = PageLocator()
    let decoder: ImageDecoder
    private let codeReader = PageCodeReader()
    private let textReader: TextFieldReader

    /// Pixels a millimetre of the page laid flat: enough for the thin outlines, few enough to be quick.
    static let rasterScale = 6.0
    /// Mean darkness of bubble outlines over the paper beside them below which the print is not where it should be.
    static let leastPrintContrast = 0.05

    package init(configuration: ReaderConfiguration) {
        self.configuration = configuration
        decoder = ImageDecoder(maximumPixels: configuration.maxPixels)
        textReader = TextFieldReader(configuration: configuration)
        vision_prepare()
    }

    /// Loads the text model now rather than at the first text field; for a process that gives up reading files.
    /// - Throws: `.readerUnavailable` when the configured files are missing or unfit.
    package func loadTextModel() throws(ReadingFailure) {
        try textReader.load()
    }

    /// Reads one page image.
    /// - Parameters:
    ///   - bytes: A PNG, JPEG or TIFF file.
    ///   - imageIndex: The page of a TIFF that has several, from 0.
    ///   - expectedExam: The exam the QR code must name, if it can be read.
    /// - Throws: `ReadingFailure` with a code that tells why nothing could be read.
    package func read(
        _ bytes: [UInt8], page imageIndex: Int, layout: SheetLayout, expectedExam: ExamID?
    ) throws(ReadingFailure) -> PageReading {
        let start = ContinuousClock.now
        guard !layout.pages.isEmpty, layout.pages.allSatisfy(\.isReadable) else {
            throw ReadingFailure(.noSheetFound, "the layout has no page or impossible measures")
        }
        let shrink = try decoder.decode(bytes, page: imageIndex, into: source, sufficientSide: 2300)
        try locator.prepare(source)
        let found = try locate(layout, expectedExam: expectedExam)
        var reading = try read(found)
        if found.sourceScale * Double(shrink) < configuration.lowResolution { reading.flags.append(.lowResolution) }
        reading.milliseconds = (ContinuousClock.now - start).milliseconds
        return reading
    }
}

/// A page that was found and lies flat in the raster.
struct LocatedPage {
    var page: LayoutPage
    var code: SheetCode?
    var pose: PagePose
    var groups: [BubbleGroup]
    /// Source pixels a layout unit.
    var sourceScale: Double

    /// How clearly the printed outlines were found.
    var printContrast: Double { groups.map(\.printContrast).median ?? 0 }

    /// The shift of the bubbles nearest to a box, in layout units.
    func shift(near field: LayoutField) -> Point {
        guard let box = field.box, let scale = groups.isEmpty ? nil : PageReader.rasterScale else {
            return Point(x: 0, y: 0)
        }
        let place = Point(x: box.x * scale, y: box.y * scale)
        let nearest = groups.sorted { ($0.centre - place).length < ($1.centre - place).length }.prefix(3)
        return Point(
            x: (nearest.map(\.shift.x).median ?? 0) / scale, y: (nearest.map(\.shift.y).median ?? 0) / scale)
    }
}

extension PageReader {
    func locate(_ layout: SheetLayout, expectedExam: ExamID?) throws(ReadingFailure) -> LocatedPage {
        var poses = locator.posesByMarks(layout.pages[0])
        if poses.isEmpty { try locator.requireInk() }
        let codedPages = layout.pages.filter { $0.code != nil }
        // The code settles page and orientation at once.
        for pose in poses {
            for page in codedPages {
                guard let place = page.code else { continue }
                if let found = codeReader.read(place, in: source, toSource: pose.toSource) {
                    let named = try self.page(of: found.code, in: layout, expectedExam: expectedExam)
                    return flatten(named, pose: pose, code: found.code)
                }
            }
        }
        if !codedPages.isEmpty, let found = codeReader.search(source) {
            let named = try page(of: found.code, in: layout, expectedExam: expectedExam)
            if let pose = poses.first(where: { Self.agrees($0, found, named) }) {
                return flatten(named, pose: pose, code: found.code)
            }
            poses = [locator.pose(found, page: named)].compactMap { $0 } + locator.posesByOutline(named)
            if let best = best(poses, pages: [named], code: found.code) { return best }
            throw ReadingFailure(.noSheetFound, "the page's QR code was read, but its print was not found")
        }
        if poses.isEmpty { poses = layout.pages.prefix(1).flatMap { locator.posesByOutline($0) } }
        guard var best = best(poses, pages: layout.pages, code: nil) else {
            throw ReadingFailure(.noSheetFound, "no sheet of this layout is in the image")
        }
        if best.page.code != nil { best.pose.flags.append(.codeUnreadable) }
        return best
    }

    /// The pose under which a page's print is found best, if it is found at all.
    private func best(_ poses: [PagePose], pages: [LayoutPage], code: SheetCode?) -> LocatedPage? {
        var best: LocatedPage?
        var bestOfOthers = 0.0
        for pose in poses {
            for page in pages {
                let found = flatten(page, pose: pose, code: code)
                // Earlier poses are likelier, so a later one must be clearly better.
                let needed = best.map { 1.1 * $0.printContrast } ?? Self.leastPrintContrast
                if found.printContrast > needed {
                    if let best, best.page.number != page.number { bestOfOthers = best.printContrast }
                    best = found
                } else if let best, best.page.number != page.number {
                    bestOfOthers = max(bestOfOthers, found.printContrast)
                }
            }
        }
        guard let best, best.printContrast > 1.3 * bestOfOthers else { return nil }
        return flatten(best.page, pose: best.pose, code: code)
    }

    private func page(
        of code: SheetCode, in layout: SheetLayout, expectedExam: ExamID?
    ) throws(ReadingFailure) -> LayoutPage {
        if let expectedExam, code.exam != expectedExam {
            throw ReadingFailure(.wrongExam, "the sheet belongs to exam \(code.exam), not to \(expectedExam)")
        }
        guard let page = layout.pages.first(where: { $0.number == code.page }) else {
            throw ReadingFailure(.noSheetFound, "the sheet is page \(code.page), which the layout does not have")
        }
        if let expected = page.code.flatMap({ SheetCode($0.payload) }), expected.variant != code.variant {
            throw ReadingFailure(
                .noSheetFound, "the sheet was printed as variant \(code.variant), the layout is \(expected.variant)")
        }
        return page
    }

    /// Whether a code lies where a pose puts it.
    private static func agrees(_ pose: PagePose, _ found: FoundCode, _ page: LayoutPage) -> Bool {
        guard let code = page.code else { return false }
        let half = code.size / 2
        let expected = pose.toSource(Point(x: code.x - half, y: code.y - half))
        let side = (pose.toSource(Point(x: code.x + half, y: code.y - half)) - expected).length
        return (found.corners[0] - expected).length < side * 0.35
    }

    /// Lays the page flat under a pose and finds its print.
    private func flatten(_ page: LayoutPage, pose: PagePose, code: SheetCode?) -> LocatedPage {
        raster.flatten(
            source, toSource: pose.toSource, width: page.width, height: page.height, scale: Self.rasterScale)
        raster.setBlack(blackLevel(page))
        var groups = BubbleFieldReader.groups(of: page.fields, on: raster)
        PrintAlignment(reach: Int(1.5 * Self.rasterScale), styles: OutlineProbe.Style.own).align(&groups, on: raster)
        let middle = Point(x: page.width / 2, y: page.height / 2)
        let across = pose.toSource(middle + Point(x: 10, y: 0)) - pose.toSource(middle)
        return LocatedPage(page: page, code: code, pose: pose, groups: groups, sourceScale: across.length / 10)
    }

    /// Brightness of black print: that of the corner marks.
    private func blackLevel(_ page: LayoutPage) -> Double? {
        var samples: [Double] = []
        for mark in page.cornerMarks {
            // Between the white middle and the edge.
            let offset = mark.size * 0.37
            for (x, y) in [(-1.0, -1.0), (0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0)] {
                let place = raster.pixel(mark.x + x * offset, mark.y + y * offset)
                samples.append(raster.image.sample(place.x, place.y))
            }
        }
        return samples.quantile(0.3)
    }

    private func read(_ found: LocatedPage) throws(ReadingFailure) -> PageReading {
        let page = found.page
        var flags = found.pose.flags
        let reader = BubbleFieldReader(thresholds: configuration.bubbles)
        var fields = reader.read(page.fields, groups: found.groups, on: raster)
        if !found.groups.isEmpty, found.printContrast < Self.leastPrintContrast {
            // Whatever was measured may belong to something else.
            flags.append(.misaligned)
            for name in fields.keys where fields[name]?.flags.contains(.uncertain) == false {
                fields[name]?.flags.append(.uncertain)
            }
        }
        for field in page.fields where field.box != nil {
            let shift = found.shift(near: field)
            if let reading = try textReader.read(field, shift: shift, from: source, on: raster) {
                fields[field.name] = reading
            }
        }
        if !fields.isEmpty, fields.values.allSatisfy({ $0.flags.contains(.blank) }) { flags.append(.blankPage) }
        return PageReading(page: page.number, codedStudent: found.code?.student, fields: fields, flags: flags)
    }
}

extension LayoutPage {
    /// Measures that can be laid out in memory: finite, a page of 20 to 2,000 units, everything on it.
    var isReadable: Bool {
        guard (20...2000).contains(width), (20...2000).contains(height) else { return false }
        func isInside(_ x: Double, _ y: Double) -> Bool { (0...width).contains(x) && (0...height).contains(y) }
        return cornerMarks.allSatisfy { isInside($0.x, $0.y) && (0.5...50).contains($0.size) }
            && (code.map { isInside($0.x, $0.y) && (2...200).contains($0.size) } ?? true)
            && fields.allSatisfy { field in
                field.bubbles.allSatisfy {
                    isInside($0.x, $0.y) && (0.5...100).contains($0.width) && (0.5...100).contains($0.height)
                }
                    && (field.box.map {
                        isInside($0.x, $0.y) && (1...width).contains($0.width) && (1...height).contains($0.height)
                    } ?? true)
            }
    }
}

extension Duration {
    var milliseconds: Double {
        Double(components.seconds) * 1000 + Double(components.attoseconds) / 1e15
    }
}
