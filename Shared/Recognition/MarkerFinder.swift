import CVision
import Domain

/// Finds the four equal marks of a foreign sheet by comparing with a picture of the mark.
struct MarkerFinder {
    /// Width the sheet is searched at; the marks' sizes in templates are meant for about this.
    private static let width = 666

    /// - Parameter sheet: The sheet's corners in the source, clockwise from the top left.
    /// - Returns: The middles of the marks in the source, in the same order.
    func find(
        _ crop: OMRCheckerTemplate.MarkerCrop, in source: GreyImage, sheet: [Point]
    ) throws(ReadingFailure) -> [Point] {
        let pattern = try pattern(crop)
        let across = (sheet[1] - sheet[0]).length + (sheet[2] - sheet[3]).length
        let down = (sheet[3] - sheet[0]).length + (sheet[2] - sheet[1]).length
        guard across > 1, down > 1 else { throw ReadingFailure(.noSheetFound, "the sheet has no area") }
        let height = min(max(Int(Double(Self.width) * down / across), 100), 4 * Self.width)
        let corners = [(0, 0), (Self.width, 0), (Self.width, height), (0, height)].map {
            Point(x: Double($0.0), y: Double($0.1))
        }
        guard let toSource = Homography(from: corners, to: sheet) else {
            throw ReadingFailure(.noSheetFound, "the sheet's corners are on a line")
        }
        let flat = GreyImage(width: Self.width, height: height)
        PageWarp.warp(source, into: flat, by: toSource)
        // Upper marks are looked for in the upper third, lower ones below it.
        let (halfWidth, third) = (Self.width / 2, height / 3)
        let quarters = [
            (0, 0, halfWidth, third), (halfWidth, 0, Self.width - halfWidth, third),
            (halfWidth, third, Self.width - halfWidth, height - third), (0, third, halfWidth, height - third),
        ]
        var best: (total: Double, places: [Point], scores: [Double]) = (-10, [], [])
        for percent in stride(from: crop.scales.upperBound, through: crop.scales.lowerBound, by: -5) {
            let size = pattern.width * percent / 100
            let tall = pattern.height * percent / 100
            guard size >= 8, tall >= 8 else { break }
            let scaled = GreyImage(width: size, height: tall)
            _ = vision_resize(pattern.view, scaled.view)
            var places: [Point] = []
            var scores: [Double] = []
            for (left, top, width, height) in quarters {
                guard let part = flat.view(left: left, top: top, width: width, height: height) else { continue }
                var x: Int32 = 0
                var y: Int32 = 0
                scores.append(vision_best_match(part, scaled.view, &x, &y))
                places.append(
                    Point(
                        x: Double(left) + Double(x) + Double(size - 1) / 2,
                        y: Double(top) + Double(y) + Double(tall - 1) / 2))
            }
            let total = scores.reduce(0, +)
            if scores.count == 4, total > best.total { best = (total, places, scores) }
        }
        let names = ["upper left", "upper right", "lower right", "lower left"]
        for (name, score) in zip(names, best.scores) where score < crop.leastMatch {
            throw ReadingFailure(.noSheetFound, "the marker in the \(name) part of the sheet was not found")
        }
        guard best.places.count == 4 else { throw ReadingFailure(.noSheetFound, "the markers were not found") }
        return best.places.map { toSource($0) }
    }

    private func pattern(_ crop: OMRCheckerTemplate.MarkerCrop) throws(ReadingFailure) -> GreyImage {
        let whole = GreyImage()
        do {
            _ = try ImageDecoder(maximumPixels: 4_000_000).decode(
                crop.marker, page: 0, into: whole, sufficientSide: 4000)
        } catch {
            throw ReadingFailure(.readerUnavailable, "the template's marker image cannot be read: \(error.message)")
        }
        let width = crop.sheetToMarkerWidth.map { Int(Double(Self.width) / max($0, 1)) } ?? whole.width
        let usable = min(max(width, 8), Self.width / 2)
        let pattern = GreyImage(width: usable, height: max(8, min(usable * whole.height / whole.width, Self.width / 2)))
        _ = vision_resize(whole.view, pattern.view)
        return pattern
    }
}
