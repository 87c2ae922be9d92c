import CVision
import Domain

/// A dark square somewhere in the image, perhaps a corner mark. Lengths are pixels of the searched image.
struct MarkCandidate: Sendable {
    var centre: Point
    /// Length of a side.
    var side: Double
    /// Share of the square that is a hole.
    var hole: Double
    /// 0 for a perfect square, growing with what is missing or uneven.
    var flaw: Double
}

/// Finds dark squares of about the right size.
struct CornerMarkFinder {
    /// Hole share that counts as the orientation mark's white middle; the printed one has 0.25.
    static let hollowShare = 0.06...0.42

    private let binary = GreyImage()
    private var blobs = [VisionBlob](repeating: VisionBlob(), count: 8000)

    /// - Parameters:
    ///   - image: A page of 1000 to 2000 pixels on its longer side.
    ///   - relativeSize: A mark's side as a share of the page's longer side.
    /// - Returns: At most 40 candidates, best first.
    mutating func candidates(in image: GreyImage, relativeSize: Double) -> [MarkCandidate] {
        let longer = Double(max(image.width, image.height))
        // The page may fill from 40 % of the image to a little more than all of it.
        let smallest = max(4, longer * relativeSize * 0.36)
        let largest = longer * relativeSize * 1.35
        // Shadows change slowly, so darkness is judged against the mean of some 4 marks around.
        let window = Int(longer * relativeSize * 4) | 1
        image.findDarker(thanSurroundings: 72, window: window, into: binary)
        let found = vision_find_blobs(
            binary.view, Int32(smallest), Int32(largest * 1.5), &blobs, Int32(blobs.count))
        guard found > 0 else { return [] }
        var result: [MarkCandidate] = []
        for blob in blobs.prefix(Int(found)) {
            let long = Double(max(blob.width, blob.height))
            let short = Double(min(blob.width, blob.height))
            // The contour runs through pixel centres, half a pixel inside the edge on each side.
            let side = ((long + 1) * (short + 1)).squareRoot()
            guard side >= smallest, side <= largest, (short + 1) / (long + 1) > 0.62 else { continue }
            let fill = Double(blob.area) / max(1, Double(blob.width * blob.height))
            guard fill > 0.78 else { continue }
            let hole = Double(blob.holeArea) / max(1, Double(blob.area))
            guard hole < Self.hollowShare.upperBound else { continue }
            let flaw = (1 - fill) + (1 - (short + 1) / (long + 1)) * 0.7
            result.append(
                MarkCandidate(
                    centre: Point(x: Double(blob.centreX), y: Double(blob.centreY)), side: side, hole: hole, flaw: flaw
                ))
        }
        result.sort { $0.flaw < $1.flaw }
        return Array(result.prefix(40))
    }

    /// The middle of a mark to a fraction of a pixel: the centre of gravity of its darkness.
    static func refinedCentre(of mark: MarkCandidate, in image: GreyImage) -> Point {
        let reach = Int((mark.side * 0.85).rounded(.up)) + 1
        let middleX = Int(mark.centre.x.rounded())
        let middleY = Int(mark.centre.y.rounded())
        var lightest = 0
        for y in (middleY - reach)...(middleY + reach) {
            for x in (middleX - reach)...(middleX + reach) { lightest = max(lightest, Int(image[x, y])) }
        }
        // Only what is clearly darker than the paper counts, so a shadow's slope does not pull.
        let level = Double(lightest) * 0.72
        var weight = 0.0
        var sumX = 0.0
        var sumY = 0.0
        let radius = mark.side * 0.5 * 1.5
        for y in (middleY - reach)...(middleY + reach) {
            for x in (middleX - reach)...(middleX + reach) {
                let darkness = level - Double(image[x, y])
                guard darkness > 0, (Point(x: Double(x), y: Double(y)) - mark.centre).length < radius else { continue }
                weight += darkness
                sumX += darkness * Double(x)
                sumY += darkness * Double(y)
            }
        }
        guard weight > 0 else { return mark.centre }
        let refined = Point(x: sumX / weight, y: sumY / weight)
        // Something touching the mark must not drag it away.
        return (refined - mark.centre).length < mark.side * 0.15 ? refined : mark.centre
    }
}
