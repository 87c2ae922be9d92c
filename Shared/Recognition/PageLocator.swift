import CVision
import Domain

/// Where a page may lie in an image.
struct PagePose {
    /// Layout coordinates to pixels of the full image.
    var toSource: Homography
    var flags: [PageFlag]
    /// Middles of the corner marks that were found, in the full image.
    var marks: [Point]
}

/// Finds a page in an image by its corner marks, its QR code, or its outline.
final class PageLocator {
    /// The image shrunk for searching.
    let small = GreyImage()
    /// Pixels of the full image for one of `small`.
    private var factor = 1.0
    private var finder = CornerMarkFinder()
    private let binary = GreyImage()

    /// Takes the image to be searched.
    func prepare(_ source: GreyImage) throws(ReadingFailure) {
        let longer = max(source.width, source.height)
        let shrink = max(1, Int((Double(longer) / 1300).rounded()))
        guard source.width / shrink >= 64, source.height / shrink >= 64 else {
            throw ReadingFailure(.noSheetFound, "the image is too small to hold a sheet")
        }
        source.shrink(by: shrink, into: small)
        factor = Double(shrink)
    }

    /// - Throws: `.blankPage` when nothing is on the image, not even print.
    func requireInk() throws(ReadingFailure) {
        guard hasInk else { throw ReadingFailure(.blankPage, "nothing is on the page, not even print") }
    }

    /// Poses that the corner marks allow, the likeliest first.
    func posesByMarks(_ page: LayoutPage) -> [PagePose] {
        guard page.cornerMarks.count == 4 else { return [] }
        return CornerMarkMatcher.matches(candidates(page), page: page, limit: 6).compactMap { pose($0, page) }
    }

    private func candidates(_ page: LayoutPage) -> [MarkCandidate] {
        guard let size = page.cornerMarks.map(\.size).min() else { return [] }
        return finder.candidates(in: small, relativeSize: size / max(page.width, page.height))
    }

    private func pose(_ match: MarkMatch, _ page: LayoutPage) -> PagePose? {
        var places: [Point] = []
        var found: [Point] = []
        for (mark, candidate) in zip(page.cornerMarks, match.marks) {
            guard let candidate else { continue }
            places.append(Point(x: mark.x, y: mark.y))
            found.append(full(CornerMarkFinder.refinedCentre(of: candidate, in: small)))
        }
        guard let toSource = Homography(from: places, to: found) else { return nil }
        return PagePose(toSource: toSource, flags: match.count < 4 ? [.cornerMarkMissing] : [], marks: found)
    }

    /// The pose a QR code found anywhere tells: from its own corners, which is coarse away from it, then also from
    /// what corner marks lie near where that puts them.
    func pose(_ found: FoundCode, page: LayoutPage) -> PagePose? {
        guard let code = page.code else { return nil }
        let half = code.size / 2
        var places = [(-half, -half), (half, -half), (half, half), (-half, half)].map {
            Point(x: code.x + $0.0, y: code.y + $0.1)
        }
        var seen = found.corners
        // An affine map does not run away far from the code as a projective one does.
        guard var toSource = Homography(from: places, to: seen, affine: true) else { return nil }
        var marks: [Point] = []
        // The nearest mark first: each one found makes the next one's place surer.
        let corner = Point(x: code.x, y: code.y)
        let byDistance = page.cornerMarks.sorted {
            (Point(x: $0.x, y: $0.y) - corner).length < (Point(x: $1.x, y: $1.y) - corner).length
        }
        let candidates = self.candidates(page)
        for mark in byDistance {
            let place = Point(x: mark.x, y: mark.y)
            let expected = toSource(place)
            let unit = (toSource(place + Point(x: 1, y: 0)) - expected).length
            let reach = unit * (4 + 0.06 * (place - corner).length)
            let near = candidates.filter {
                (full($0.centre) - expected).length < reach
                    && (0.7...1.4).contains($0.side * factor / (mark.size * unit))
            }
            guard let best = near.min(by: { $0.flaw < $1.flaw }) else { continue }
            places.append(place)
            seen.append(full(CornerMarkFinder.refinedCentre(of: best, in: small)))
            marks.append(seen[seen.count - 1])
            if let map = Homography(from: places, to: seen, affine: marks.count < 3) { toSource = map }
        }
        return PagePose(toSource: toSource, flags: [.cornersGuessed], marks: marks)
    }

    /// Poses that put the page on the sheet's outline, or on the whole image, in every orientation of its shape.
    func posesByOutline(_ page: LayoutPage) -> [PagePose] {
        var outlines: [[Point]] = []
        if let outline = outline() { outlines.append(outline) }
        let right = Double(small.width) - 0.5
        let bottom = Double(small.height) - 0.5
        outlines.append([
            Point(x: -0.5, y: -0.5), Point(x: right, y: -0.5), Point(x: right, y: bottom), Point(x: -0.5, y: bottom),
        ])
        let corners = [
            Point(x: 0, y: 0), Point(x: page.width, y: 0), Point(x: page.width, y: page.height),
            Point(x: 0, y: page.height),
        ]
        return outlines.flatMap { outline -> [PagePose] in
            let isTall = (outline[3] - outline[0]).length > (outline[1] - outline[0]).length
            let turns = isTall == (page.height > page.width) ? [0, 2] : [1, 3]
            return turns.compactMap { turn in
                let turned = (0..<4).map { full(outline[($0 + turn) % 4]) }
                return Homography(from: corners, to: turned).map {
                    PagePose(toSource: $0, flags: [.cornersGuessed], marks: [])
                }
            }
        }
    }

    /// The four corners of the largest light area, clockwise from the top left, if it is most of the image.
    func outline() -> [Point]? {
        let (dark, light) = range
        guard light - dark > 30 else { return nil }
        binary.reshape(width: small.width, height: small.height)
        // Print is closed over first, so that only the sheet's edge remains.
        let kernel = Int32(max(5, max(small.width, small.height) / 100))
        guard vision_close(small.view, binary.view, kernel, kernel) == VisionOK else { return nil }
        let level = dark + (light - dark) * 6 / 10
        for i in 0..<(binary.width * binary.height) { binary.pixels[i] = Int(binary.pixels[i]) > level ? 255 : 0 }
        var corners = [Float](repeating: 0, count: 8)
        let area = Double(small.width * small.height)
        guard vision_find_quadrilaterals(binary.view, area * 0.2, &corners, 1) == 1 else { return nil }
        let points = (0..<4).map { Point(x: Double(corners[2 * $0]), y: Double(corners[2 * $0 + 1])) }
        return Self.clockwiseFromTopLeft(points)
    }

    static func clockwiseFromTopLeft(_ points: [Point]) -> [Point]? {
        guard points.count == 4 else { return nil }
        let isClockwise = (points[1] - points[0]).cross(points[2] - points[1]) > 0
        let ordered = isClockwise ? points : points.reversed()
        guard let first = ordered.indices.min(by: { ordered[$0].x + ordered[$0].y < ordered[$1].x + ordered[$1].y })
        else { return nil }
        return (0..<4).map { ordered[(first + $0) % 4] }
    }

    /// A place in the small image as one in the full image.
    func full(_ point: Point) -> Point {
        Point(x: (point.x + 0.5) * factor - 0.5, y: (point.y + 0.5) * factor - 0.5)
    }

    private var hasInk: Bool {
        // Local contrast rather than overall: a shadow is no ink.
        small.findDarker(thanSurroundings: 78, window: 61, into: binary)
        var count = 0
        for i in 0..<(binary.width * binary.height) where binary.pixels[i] != 0 { count += 1 }
        return count > 150
    }

    private var range: (dark: Int, light: Int) {
        var counts = [Int](repeating: 0, count: 256)
        let total = small.width * small.height
        for i in 0..<total { counts[Int(small.pixels[i])] += 1 }
        func level(_ share: Double) -> Int {
            var rest = Int(Double(total) * share)
            for value in 0..<256 {
                rest -= counts[value]
                if rest < 0 { return value }
            }
            return 255
        }
        return (level(0.02), level(0.9))
    }
}
